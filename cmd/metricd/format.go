package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"

	"metricd/client"
	"metricd/internal/decimal"
	"metricd/internal/lineproto"
)

// printer prints rows in one format. Not for concurrent use.
type printer struct {
	head  string                             // before all rows
	start func(key string) []byte            // a row up to its value
	value func(dst []byte, v float64) []byte // appends the value
	mid   string                             // between value and time
	end   string                             // behind the time

	times   lineproto.TimePrinter
	key     string // of the row before
	started []byte // what start made of it; nil: there was none
}

// newPrinter returns a printer of one of get's formats.
func newPrinter(format string) *printer {
	switch format {
	case "csv":
		return &printer{head: "key,value,timestamp\n", start: csvStart, value: decimal.Append, mid: ",", end: "\n"}
	case "json":
		return &printer{start: jsonStart, value: jsonValue, mid: `,"timestamp":`, end: "}\n"}
	}
	return &printer{start: func(key string) []byte { return []byte(key + " ") }, value: decimal.Append, mid: " ", end: "\n"}
}

// appendRow appends one row. What is made of a key is kept for the rows that follow.
func (p *printer) appendRow(dst []byte, row *client.Row) []byte {
	if p.started == nil || p.key != row.Key {
		p.key, p.started = row.Key, p.start(row.Key)
	}
	dst = append(dst, p.started...)
	dst = p.value(dst, row.Value)
	dst = append(dst, p.mid...)
	dst = p.times.Append(dst, row.Time.Unix())
	return append(dst, p.end...)
}

// csvStart quotes a key as encoding/csv does, where that is needed.
func csvStart(key string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write([]string{key, ""}) //nolint:errcheck // to memory
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func jsonStart(key string) []byte {
	var b bytes.Buffer
	b.WriteString(`{"key":`)
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(key) //nolint:errcheck // to memory
	b.Truncate(b.Len() - len("\n"))
	b.WriteString(`,"value":`)
	return b.Bytes()
}

// jsonValue appends a value; those that JSON has no numbers for, as strings.
func jsonValue(dst []byte, v float64) []byte {
	if !math.IsNaN(v) && !math.IsInf(v, 0) {
		return decimal.Append(dst, v)
	}
	return append(decimal.Append(append(dst, '"'), v), '"')
}
