package flowdetail

import (
	"errors"
	"fmt"
	"testing"
)

// TestScreens keeps a picture of every state at the sizes the interface is made
// for. Keys are pressed after the flow is open.
func TestScreens(t *testing.T) {
	tests := []struct {
		name string
		flow uint64
		tab  string
		keys string
	}{
		{"request", flowJSON, "Request", ""},
		{"request_long", flowJSON, "Request", "o"},
		{"form", flowForm, "Request", ""},
		{"no_request_body", flowEmpty, "Request", ""},
		{"request_going", flowEarly, "Request", ""},
		{"response", flowJSON, "Response", ""},
		{"response_end", flowJSON, "Response", "f G"},
		{"as_sent", flowJSON, "Response", "z"},
		{"search", flowJSON, "Response", "/ G r ö enter n"},
		{"search_typing", flowJSON, "Response", "/ i d"},
		{"views", flowJSON, "Response", "m"},
		{"copy", flowJSON, "Response", "y"},
		{"huge", flowHuge, "Response", ""},
		{"huge_end", flowHuge, "Response", "G"},
		{"hex", flowHuge, "Response", "m 9 j j j"},
		{"error", flowError, "Response", ""},
		{"waiting", flowWaiting, "Response", ""},
		{"empty", flowForm, "Response", ""},
		{"no_body", flowEmpty, "Response", ""},
		{"cut", flowCut, "Response", ""},
		{"dropped", flowDropped, "Response", ""},
		{"broken", flowBroken, "Response", ""},
		{"modified", flowModified, "Response", ""},
		{"hostile_request", flowHostile, "Request", ""},
		{"hostile_response", flowHostile, "Response", ""},
		{"hostile_conn", flowHostile, "Conn", ""},
		{"hostile_notes", flowHostile, "Notes", ""},
		{"socket", flowSocket, "Messages", "J J"},
		{"tcp", flowTCP, "Messages", ""},
		{"no_messages", flowJSON, "Messages", ""},
		{"dns", flowDNS, "Response", ""},
		{"tls", flowTLS, "Conn", ""},
		{"timing", flowJSON, "Timing", ""},
		{"timing_error", flowError, "Timing", ""},
		{"timing_waiting", flowWaiting, "Timing", ""},
		{"conn", flowJSON, "Conn", ""},
		{"notes", flowJSON, "Notes", ""},
		{"no_notes", flowWaiting, "Notes", ""},
	}
	for _, size := range []struct{ w, h int }{{80, 24}, {120, 40}, {40, 12}} {
		for _, tt := range tests {
			name := fmt.Sprintf("%s_%dx%d", tt.name, size.w, size.h)
			t.Run(name, func(t *testing.T) {
				drive(t, size.w, size.h, func(d *driver) {
					d.open(tt.flow)
					d.run(d.m.SelectTab(tt.tab))
					d.keys(tt.keys)
					d.golden(name)
				})
			})
		}
		t.Run(fmt.Sprintf("states_%dx%d", size.w, size.h), func(t *testing.T) {
			drive(t, size.w, size.h, func(d *driver) {
				d.golden(fmt.Sprintf("none_%dx%d", size.w, size.h))
				cmd := d.m.Open(flowJSON)
				d.m.Update(detailSlow{opened: d.m.opened})
				d.golden(fmt.Sprintf("loading_%dx%d", size.w, size.h))
				d.src.err = errors.New("read flow 1: disk I/O error\x1b[2J")
				d.run(cmd)
				d.golden(fmt.Sprintf("unreadable_%dx%d", size.w, size.h))
			})
		})
	}
}
