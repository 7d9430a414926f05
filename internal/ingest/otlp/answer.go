package otlp

import (
	"encoding/json"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"

	"metricd/internal/ingest/body"
)

// format is in what a message, and the answer to it, is written.
type format uint8

const (
	inProtobuf format = iota
	inJSON
	asText // answers only
)

// types are the Content-Types of answers.
var types = [...]string{inProtobuf: "application/x-protobuf", inJSON: "application/json", asText: "text/plain; charset=utf-8"}

// codes are those of google.rpc.Code that statuses stand for: INVALID_ARGUMENT, RESOURCE_EXHAUSTED and UNAVAILABLE.
var codes = map[int]int{http.StatusBadRequest: 3, http.StatusRequestEntityTooLarge: 8, http.StatusServiceUnavailable: 14}

// success answers with an ExportMetricsServiceResponse.
//
//	0a  length  { 08  rejected data points   12  length  message }       the field is absent if nothing was refused
func (f format) success(w http.ResponseWriter, r *refusals) {
	var b []byte
	switch {
	case f == inJSON && !r.any():
		b = []byte("{}")
	case f == inJSON:
		type partial struct {
			Rejected int64  `json:"rejectedDataPoints,string,omitempty"` // protobuf's JSON has 64 bits as text
			Message  string `json:"errorMessage"`
		}
		b = marshal(struct {
			Partial partial `json:"partialSuccess"`
		}{partial{int64(r.points), r.String()}})
	case r.any():
		var inner []byte
		if r.points > 0 {
			inner = protowire.AppendVarint(append(inner, 0x08), uint64(r.points))
		}
		inner = protowire.AppendString(append(inner, 0x12), r.String())
		b = protowire.AppendBytes([]byte{0x0a}, inner)
	}
	f.write(w, http.StatusOK, b)
}

// failure answers with a google.rpc.Status.
//
//	08  code   12  length  message
func (f format) failure(w http.ResponseWriter, why *body.Error) {
	var b []byte
	switch f {
	case inProtobuf:
		b = protowire.AppendVarint([]byte{0x08}, uint64(codes[why.Status]))
		b = protowire.AppendString(append(b, 0x12), why.Text)
	case inJSON:
		b = marshal(struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		}{codes[why.Status], why.Text})
	case asText:
		b = append([]byte(why.Text), '\n')
	}
	f.write(w, why.Status, b)
}

func (f format) write(w http.ResponseWriter, status int, b []byte) {
	h := w.Header()
	h.Set("Content-Type", types[f])
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(b) // its error is the client's
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return b
}
