package filterbar

import (
	tea "charm.land/bubbletea/v2"

	"weir/filter"
)

// completion is the list that tab walks through; any other key ends it.
type completion struct {
	items      []filter.Item
	at         int
	start, end int // the bytes of the text that the item occupies now
}

// complete puts the next way to go on into the text, or the one before.
func (m *Model) complete(step int) (Result, tea.Cmd) {
	if len(m.comp.items) == 0 {
		c := filter.Complete(m.input.Value(), m.input.Offset(), m.values)
		if len(c.Items) == 0 {
			return None, nil
		}
		m.comp = completion{items: c.Items, at: -1, start: c.Pos, end: c.End}
		if step < 0 {
			m.comp.at = 0
		}
	}
	c := &m.comp
	c.at = (c.at + step + len(c.items)) % len(c.items)
	text := c.items[c.at].Text
	m.input.Replace(c.start, c.end, text)
	c.end = c.start + len(text)
	return None, m.changed()
}
