package store

import (
	"database/sql/driver"
	"fmt"
	"math"
	"strings"

	flowpb "weir/proto"
	"weir/store/extsort"
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

// orders says of each Order how it is called, and which columns decide it: key makes
// the sort key out of them. Where they stand for a row of a small table, scans of the
// whole session read only its number, reference, and take for the key its place in
// the order of texts.
var orders = [...]struct {
	name      string
	columns   string
	key       func(row []driver.Value) string // may share memory with row
	reference string
	ranked    table
}{
	OrderID:           {name: "id"},
	OrderStarted:      {name: "started", columns: "f.started", key: numberKey},
	OrderMethod:       {name: "method", columns: termText + "f.method), '')", key: textKey, reference: "f.method", ranked: terms},
	OrderHost:         {name: "host", columns: siteText + "host" + ofSite, key: textKey, reference: "f.site", ranked: hosts},
	OrderPath:         {name: "path", columns: "f.path", key: textKey},
	OrderURL:          {name: "url", columns: pathColumns + ", " + siteColumns, key: urlKey},
	OrderStatus:       {name: "status", columns: "f.status", key: numberKey},
	OrderType:         {name: "type", columns: termText + "f.content_type), '')", key: textKey, reference: "f.content_type", ranked: terms},
	OrderRequestSize:  {name: "request_size", columns: "f.request_size", key: numberKey},
	OrderResponseSize: {name: "response_size", columns: "f.response_size", key: numberKey},
	OrderDuration:     {name: "duration", columns: "f.duration", key: numberKey},
}

// SQL for what a flow's site is: siteText, a column, ofSite.
const (
	siteText = "coalesce((SELECT "
	ofSite   = " FROM site WHERE id = f.site), '')"
)

// What URLs are made of: what urlOf reads, and what siteFrom reads.
const (
	pathColumns = "f.kind, f.site, f.path"
	siteColumns = siteText + "scheme" + ofSite + ", " + siteText + "host" + ofSite + ", " +
		siteText + "port" + ofSite + ", " + siteText + "authority" + ofSite
	pathColumnsLen = 3
)

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

// maxText is how much of a text takes part in comparisons, in bytes. It bounds
// what one hostile URL can make a sort hold.
const maxText = 1 << 10

// key is the sort key of a row: keys compare as strings do. It is valid as long as
// row is.
func (o Order) key(row []driver.Value) string {
	key := orders[o].key(row)
	return key[:min(len(key), maxText)]
}

func textKey(row []driver.Value) string {
	t, _ := row[0].(string)
	return t
}

func numberKey(row []driver.Value) string { return extsort.Number(ordinal(row[0])) }

func urlKey(row []driver.Value) string {
	of, path := urlOf(row)
	return siteFrom(row[pathColumnsLen:]).url(flowpb.Kind(of.kind), path)
}

// siteFrom reads siteColumns, or the same columns of the site table.
func siteFrom(row []driver.Value) site {
	s := site{scheme: referenced(row[0]), host: referenced(row[1]), authority: referenced(row[3])}
	s.port, _ = row[2].(int64)
	return s
}

// ordinal maps a column to a number that sorts as the column does, NULL first.
func ordinal(v driver.Value) uint64 {
	n, ok := v.(int64)
	if !ok {
		return 0
	}
	return max(uint64(n)^1<<63, 1) // the least int64 of all gives way to NULL
}

// maxID is the largest flow id a view can hold: 4 bytes a flow is the point of it.
const maxID = math.MaxUint32
