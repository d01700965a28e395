package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"weir/tui/eventlog"
	"weir/tui/filterbar"
	"weir/tui/flowdetail"
	"weir/tui/flowlist"
	"weir/tui/help"
	"weir/tui/palette"
	"weir/tui/sessions"
	"weir/tui/theme"
	"weir/tui/widget"
)

// App is the whole interface. Use New.
type App struct {
	src   Source
	opts  Options
	root  widget.Async // of the whole program
	async widget.Async // of this visit: its messages are tagged with it
	visit int          // grows with every session that is looked at
	// cancel ends what goes on in this visit.
	cancel context.CancelFunc
	// behind are the sessions that the user comes back to, and closeSession closes
	// this one; nil: that is somebody else's.
	behind       []visit
	closeSession func() error
	left         []byte // the view's state, where the user comes back to this session
	table        []Binding

	theme *theme.Theme
	look  theme.Options
	zone  *time.Location
	w, h  int
	now   int64 // the last tick's time, ns since the epoch; 0 before the first
	term  terminal
	mouse bool
	quick bool // the footer is shown
	// masked hides credentials, on the screen and in what is copied.
	masked bool

	stats   Stats
	told    bool // stats are here
	message message

	list    *flowlist.Model
	bar     *filterbar.Model
	detail  *detailPane
	panes   panes
	view    View // what has the keys
	under   View // what has them when an overlay is left
	help    *help.Model
	log     *eventlog.Model
	palette *palette.Model
	// sessions is the screen of other sessions.
	sessions *sessions.Model
	menu     *openMenu
	line     *line
	drafts   map[string]string // typed text of lines left by esc, by purpose
	typed    []string          // history of the ":" line

	order   order
	toggled bool // the columns of session and agent are not as they would be
	history viewHistory
	gen     int // of the list that was asked for last
	listing *listing
	status  Status
	loading bool // the list asked for last is not here yet
	slow    bool // its build has taken long enough to be shown
	job     *job

	saved                 viewState     // as last written to the session
	written               []string      // the filter history with it
	filters, writtenNames []namedFilter // with a name: now, and as written
	saving                bool          // a write is due
	restore               bool          // the saved state has been read, or there is none
	newborn               bool          // there was none with a focus: a live session is followed
}

// order is what the list is sorted by.
type order struct {
	Key        string
	Reverse    bool
	MarkedOnly bool
}

// message is the status line's news: a line and the next step.
type message struct {
	level Level
	text  string
	hint  string
	// removal says that it tells of flows that are being removed: that they leave
	// the list is then no news.
	removal bool
}

// Messages that concern the App alone.
type (
	ticked    struct{ at int64 }
	statsTold struct {
		stats Stats
		err   error
	}
	noticed struct {
		notice Notice
		err    error
	}
)

// tickEvery is how often the figures of the top bar are asked for.
const tickEvery = time.Second

// New returns the interface of a session. Its commands run in ctx. It fails on an
// unknown theme and on a filter that does not parse.
func New(ctx context.Context, src Source, o Options) (*App, error) {
	return newApp(widget.NewAsync(ctx), 1, src, o)
}

// newApp returns the interface of a session for one visit.
func newApp(root widget.Async, visit int, src Source, o Options) (*App, error) {
	look := theme.Options{Name: o.Theme, NoColor: o.NoColor, ASCII: o.ASCII}
	t, err := theme.New(look)
	if err != nil {
		return nil, err
	}
	zone := o.Zone
	if zone == nil {
		zone = time.Local
	}
	a := &App{
		src: src, opts: o, zone: zone, root: root, visit: visit, theme: t, look: look, mouse: o.Mouse, quick: true,
		list: flowlist.New(t, zone), help: help.New(t), log: eventlog.New(t, zone), palette: palette.New(t),
		drafts: make(map[string]string), order: order{Key: "id"}, panes: panes{layout: layoutBottom, share: 50},
		view: ViewList, w: 80, h: 24,
	}
	a.bar = filterbar.New(t, a.list.Values)
	if o.Filter != "" {
		if err := a.bar.Set(o.Filter, true); err != nil {
			return nil, err
		}
	}
	a.async, a.cancel = root.Tagged(visit).Scope()
	a.sessions = sessions.New(sessions.Options{Source: o.Library, Async: a.async, Theme: t, Zone: zone})
	a.detail = newDetailPane(src, a.async, t, zone)
	a.table = bindings()
	a.list.SetEmpty("opening" + t.Glyphs.Ellipsis)
	a.resize()
	return a, nil
}

// Init asks for everything at once; the first frame does not wait for any of it.
func (a *App) Init() tea.Cmd {
	cmds := []tea.Cmd{a.begin(), tick()}
	if a.look.Name == "" || a.look.Name == "auto" || a.look.Name == "colorblind" {
		cmds = append(cmds, tea.RequestBackgroundColor)
	}
	return tea.Batch(cmds...)
}

// begin asks for what a session needs to be shown.
func (a *App) begin() tea.Cmd { return tea.Batch(a.loadState(), a.askStats(), a.awaitNotice()) }

// Update takes one message. It does no I/O and reads no clock.
func (a *App) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := a.handle(msg)
	return a, tea.Batch(cmd, a.noteState())
}

func (a *App) handle(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return a.press(msg)
	case tea.PasteMsg:
		return a.paste(msg)
	case tea.WindowSizeMsg:
		a.w, a.h = msg.Width, msg.Height
		return a.resize()
	case tea.BackgroundColorMsg:
		a.look.Light = !msg.IsDark()
		return a.setTheme(a.look)
	case tea.EnvMsg:
		return a.meet(msg)
	case tea.MouseClickMsg:
		return a.click(msg.Mouse())
	case tea.MouseWheelMsg:
		return a.wheel(msg.Mouse())
	case tea.MouseMsg, tea.KeyMsg:
		return nil
	case widget.Tagged:
		if msg.Tag != a.visit {
			return a.stray(msg.Msg)
		}
		return a.answer(msg.Msg)
	}
	return a.answer(msg)
}

// answer takes what commands answer.
func (a *App) answer(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ticked:
		a.now = msg.at
		return tea.Batch(tick(), a.askStats())
	case statsTold:
		return a.tell(msg)
	case noticed:
		return a.notice(msg)
	case stateLoaded:
		return a.restoreState(msg)
	case stateDue:
		return a.saveState()
	case stateSaved:
		return a.stateWasSaved(msg)
	case opened:
		return a.opened(msg)
	case listed:
		return a.listed(msg)
	case slowBuild:
		a.slow = a.slow || msg.gen == a.gen
		return nil
	case unmarked:
		return a.unmarked(msg)
	case modesSet:
		return a.modesSet(msg)
	case unpinned:
		return a.unpinned(msg)
	case marksFound:
		return a.marksFound(msg)
	case removed:
		return a.removed(msg)
	case undone:
		return a.undone(msg)
	case exported:
		return a.exported(msg)
	case noted:
		return a.noted(msg)
	case copied:
		return a.copied(msg)
	case asked:
		return a.asked(msg)
	case errorFound:
		return a.errorFound(msg)
	case jumped:
		return a.jumped(msg)
	case focusSettled:
		return a.settled(msg)
	case explained:
		return a.explained(msg)
	case flowdetail.Result:
		return a.detailResult(msg)
	case visited:
		return a.visited(msg)
	case departed:
		return a.departed(msg)
	}
	return a.forward(msg)
}

// forward gives a message to the screens, each of which knows its own.
func (a *App) forward(msg tea.Msg) tea.Cmd {
	event, listCmd := a.list.Update(msg)
	result, barCmd := a.bar.Update(msg)
	return tea.Batch(listCmd, barCmd, a.listEvent(event), a.filterResult(result), a.detail.Update(msg), a.sessions.Update(msg))
}

func tick() tea.Cmd {
	return tea.Tick(tickEvery, func(at time.Time) tea.Msg { return ticked{at: at.UnixNano()} })
}

func (a *App) askStats() tea.Cmd {
	src := a.src
	return a.async.Do(func(ctx context.Context) tea.Msg {
		s, err := src.Stats(ctx)
		return statsTold{s, err}
	})
}

func (a *App) tell(msg statsTold) tea.Cmd {
	if msg.err != nil {
		a.fail("read the session's figures", msg.err, "")
		return nil
	}
	first := !a.told
	a.stats, a.told = msg.stats, true
	columns := a.showColumns()
	if first && a.stats.Mode == Live && a.newborn {
		_, cmd := a.list.Do("follow")
		return tea.Batch(columns, cmd)
	}
	a.describeEmpty()
	return columns
}

// showColumns shows whose flows are which where that is not always the same, or where
// the user asked for it.
func (a *App) showColumns() tea.Cmd { return a.list.SetSeveral((a.stats.Sessions > 0) != a.toggled) }

func (a *App) toggleColumns() tea.Cmd {
	a.toggled = !a.toggled
	return a.showColumns()
}

func (a *App) awaitNotice() tea.Cmd {
	src := a.src
	return a.async.Do(func(ctx context.Context) tea.Msg {
		n, err := src.Notice(ctx)
		return noticed{n, err}
	})
}

// notice logs a notice and waits for the next. A warning or an error is shown as
// well; nothing is ever put in front of the user's work.
func (a *App) notice(msg noticed) tea.Cmd {
	if msg.err != nil {
		return nil // the context ended, or the source has no more to tell
	}
	n := msg.notice
	a.log.Add(eventlog.Event{At: n.At, Level: eventlog.Level(n.Level), Text: n.Text, Hint: n.Hint})
	if n.Level >= Warn {
		a.message = message{level: n.Level, text: n.Text, hint: n.Hint}
	}
	return a.awaitNotice()
}

// say puts a line in the status line, and in the log if it is more than
// information.
func (a *App) say(level Level, text, hint string) {
	a.message = message{level: level, text: text, hint: hint}
	if level >= Warn {
		a.log.Add(eventlog.Event{At: a.now, Level: eventlog.Level(level), Text: text, Hint: hint})
	}
}

// fail says that something that was tried did not work. What was given up
// because the program or the user moved on is no failure.
func (a *App) fail(what string, err error, hint string) {
	if isCancelled(err) {
		return
	}
	a.say(Error, what+": "+err.Error(), hint)
}

// setTheme changes the looks of everything.
func (a *App) setTheme(look theme.Options) tea.Cmd {
	t, err := theme.New(look)
	if err != nil {
		a.say(Error, err.Error(), "")
		return nil
	}
	a.look, a.theme = look, t
	a.list.SetTheme(t)
	a.bar.SetTheme(t)
	a.help.SetTheme(t)
	a.log.SetTheme(t)
	a.palette.SetTheme(t)
	a.sessions.SetTheme(t)
	a.detail.SetTheme(t)
	return nil
}
