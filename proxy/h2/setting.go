package h2

import "fmt"

// SettingID names a parameter of SETTINGS (RFC 9113 §6.5.2).
type SettingID uint16

// The parameters that are acted upon. Others are passed on.
const (
	SettingHeaderTableSize   SettingID = 1
	SettingEnablePush        SettingID = 2
	SettingMaxStreams        SettingID = 3
	SettingInitialWindowSize SettingID = 4
	SettingMaxFrameSize      SettingID = 5
	SettingMaxHeaderListSize SettingID = 6
	SettingConnectProtocol   SettingID = 8 // RFC 8441 §3
)

// Setting is one parameter.
type Setting struct {
	ID    SettingID
	Value uint32
}

const (
	defaultTableSize  = 4096
	defaultWindow     = 65535
	largestWindow     = 1<<31 - 1
	settingSize       = 6
	unlimitedSettings = 1 << 31
)

// check refuses values that §6.5.2 does not allow.
func (c *Conn) checkSetting(s Setting) *Error {
	switch {
	case s.ID == SettingEnablePush && (s.Value > 1 || s.Value == 1 && c.peer == Server):
		return c.broken(ProtocolError, "SETTINGS_ENABLE_PUSH is %d", s.Value)
	case s.ID == SettingInitialWindowSize && s.Value > largestWindow:
		return c.broken(FlowControlError, "SETTINGS_INITIAL_WINDOW_SIZE is %d, over 2^31-1", s.Value)
	case s.ID == SettingMaxFrameSize && (s.Value < defaultFrameSize || s.Value > largestFrameSize):
		return c.broken(ProtocolError, "SETTINGS_MAX_FRAME_SIZE is %d, not from 2^14 to 2^24-1", s.Value)
	case s.ID == SettingConnectProtocol && s.Value > 1:
		return c.broken(ProtocolError, "SETTINGS_ENABLE_CONNECT_PROTOCOL is %d", s.Value)
	}
	return nil
}

// applySetting makes our half follow a setting of the peer.
func (c *Conn) applySetting(s Setting) *Error {
	if err := c.checkSetting(s); err != nil {
		return err
	}
	switch s.ID {
	case SettingHeaderTableSize:
		// Ours only ever shrinks: growing again within one block takes two updates
		// of the table's size, which Go's decoder refuses.
		if s.Value < c.enc.MaxDynamicTableSize() {
			c.enc.SetMaxDynamicTableSize(s.Value)
		}
	case SettingMaxFrameSize:
		c.sendFrame = int(s.Value)
	case SettingMaxStreams:
		c.sendStreams = s.Value
	case SettingInitialWindowSize:
		return c.resizeSendWindows(int64(s.Value))
	}
	return nil
}

// resizeSendWindows changes what we may send on every open stream (§6.9.2). It
// may become less than nothing.
func (c *Conn) resizeSendWindows(size int64) *Error {
	delta := size - c.sendInitial
	c.sendInitial = size
	for id, s := range c.streams {
		if s.send += delta; s.send > largestWindow {
			return c.broken(FlowControlError, "SETTINGS_INITIAL_WINDOW_SIZE takes the window of stream %d over 2^31-1", id)
		}
	}
	return nil
}

// promise is what our settings allow the peer. What they take away holds once
// the peer has acknowledged them, what they add holds at once.
type promise struct {
	window  int64  // SETTINGS_INITIAL_WINDOW_SIZE
	frame   int    // SETTINGS_MAX_FRAME_SIZE
	streams uint32 // SETTINGS_MAX_CONCURRENT_STREAMS
	table   uint32 // SETTINGS_HEADER_TABLE_SIZE
}

// promised notes a setting of ours that is about to be sent.
func (c *Conn) promised(s Setting) {
	switch s.ID {
	case SettingInitialWindowSize:
		c.next.window = int64(s.Value)
		c.allowWindow(max(c.now.window, c.next.window))
	case SettingMaxFrameSize:
		c.next.frame = int(s.Value)
		c.now.frame = max(c.now.frame, c.next.frame)
	case SettingMaxStreams:
		c.next.streams = s.Value
		c.now.streams = max(c.now.streams, s.Value)
	case SettingHeaderTableSize:
		c.next.table = s.Value
		c.now.table = max(c.now.table, s.Value)
		c.dec.SetAllowedMaxDynamicTableSize(c.now.table)
	case SettingConnectProtocol:
		c.connectProtocol = s.Value == 1
	}
}

// acknowledged makes the last promise hold once no other is under way.
func (c *Conn) acknowledged() {
	if c.unacked--; c.unacked > 0 {
		return
	}
	c.allowWindow(c.next.window)
	c.now = c.next
	c.dec.SetAllowedMaxDynamicTableSize(c.now.table)
}

func (c *Conn) allowWindow(size int64) {
	delta := size - c.now.window
	c.now.window = size
	if delta == 0 {
		return
	}
	for _, s := range c.streams {
		s.recv += delta
	}
}

// String returns the parameter as name and value.
func (s Setting) String() string {
	names := map[SettingID]string{
		SettingHeaderTableSize: "HEADER_TABLE_SIZE", SettingEnablePush: "ENABLE_PUSH",
		SettingMaxStreams: "MAX_CONCURRENT_STREAMS", SettingInitialWindowSize: "INITIAL_WINDOW_SIZE",
		SettingMaxFrameSize: "MAX_FRAME_SIZE", SettingMaxHeaderListSize: "MAX_HEADER_LIST_SIZE",
		SettingConnectProtocol: "ENABLE_CONNECT_PROTOCOL",
	}
	if name, ok := names[s.ID]; ok {
		return fmt.Sprintf("%s=%d", name, s.Value)
	}
	return fmt.Sprintf("%#x=%d", uint16(s.ID), s.Value)
}
