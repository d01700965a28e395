package store

import (
	"database/sql/driver"
	"fmt"
	"math"
	"strings"

	flowpb "weir/proto"
)

// Order is what a view is sorted by. Flows that are equal in it stand in order of
// arrival, so that every order is total, and reversing one reverses all of it.
// Absent numbers sort before all others, text in byte order.
type Order uint8

// The orders.
const (
	OrderID Order = iota // arrival
	OrderStarted
	OrderMethod
	OrderHost
	OrderPath
	OrderURL
	OrderStatus
	OrderType
	OrderRequestSize
	OrderResponseSize
	OrderDuration
)

// orders says of each Order how it is called and which columns decide it: a text
// order has a text function that makes the text out of them, a number has none.
var orders = [...]struct {
	name    string
	columns string
	text    func(row []driver.Value) string // may share memory with row
}{
	OrderID:           {name: "id"},
	OrderStarted:      {name: "started", columns: "f.started"},
	OrderMethod:       {name: "method", columns: termText + "f.method), '')", text: columnText},
	OrderHost:         {name: "host", columns: siteText + "host FROM site WHERE id = f.site), '')", text: columnText},
	OrderPath:         {name: "path", columns: "f.path", text: columnText},
	OrderURL:          {name: "url", columns: urlColumns, text: urlText},
	OrderStatus:       {name: "status", columns: "f.status"},
	OrderType:         {name: "type", columns: termText + "f.content_type), '')", text: columnText},
	OrderRequestSize:  {name: "request_size", columns: "f.request_size"},
	OrderResponseSize: {name: "response_size", columns: "f.response_size"},
	OrderDuration:     {name: "duration", columns: "f.duration"},
}

// ParseOrder returns the order with that name: a sort key of the command line.
// Its error lists them. "" is [OrderID].
func ParseOrder(name string) (Order, error) {
	if name == "" {
		return OrderID, nil
	}
	for o := range orders {
		if orders[o].name == name {
			return Order(o), nil
		}
	}
	return 0, fmt.Errorf("no sort key %q: it is one of %s", name, strings.Join(OrderNames(), " "))
}

// OrderNames are the names that [ParseOrder] takes, the default first.
func OrderNames() []string {
	names := make([]string, len(orders))
	for o := range orders {
		names[o] = orders[o].name
	}
	return names
}

// String is the order's name on the command line.
func (o Order) String() string {
	if int(o) >= len(orders) {
		return fmt.Sprintf("order(%d)", uint8(o))
	}
	return orders[o].name
}

// isText reports whether the order compares texts.
func (o Order) isText() bool { return orders[o].text != nil }

// maxText is how much of a text takes part in comparisons, in bytes. It bounds
// what one hostile URL can make a sort hold.
const maxText = 4 << 10

// text is what a text order compares. It is valid as long as row is.
func (o Order) text(row []driver.Value) string {
	t := orders[o].text(row)
	return t[:min(len(t), maxText)]
}

func columnText(row []driver.Value) string {
	t, _ := row[0].(string)
	return t
}

// urlColumns are those that URLs are made of.
const urlColumns = "f.kind, f.path, " + siteText + "scheme FROM site WHERE id = f.site), ''), " + siteText + "host FROM site WHERE id = f.site), ''), " +
	siteText + "port FROM site WHERE id = f.site), 0), " + siteText + "authority FROM site WHERE id = f.site), '')"

const siteText = "coalesce((SELECT "

func urlText(row []driver.Value) string {
	kind, _ := row[0].(int64)
	path, _ := row[1].(string)
	s := site{scheme: referenced(row[2]), host: referenced(row[3]), authority: referenced(row[5])}
	s.port, _ = row[4].(int64)
	return s.url(flowpb.Kind(kind), path)
}

// key is what c says of a row's text: see [coder.key].
func (o Order) key(c *coder, row []driver.Value) (key uint64, tail string) { return c.key(o.text(row)) }

// numberKey maps a column to a key that sorts as the column does, NULL first.
func numberKey(v driver.Value) uint64 {
	n, ok := v.(int64)
	if !ok {
		return 0
	}
	return max(uint64(n)^1<<63, 1) // the least int64 of all gives way to NULL
}

// maxID is the largest flow id a view can hold: 4 bytes a flow is the point of it.
const maxID = math.MaxUint32
