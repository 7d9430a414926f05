package otlp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"metricd/internal/ingest/body"
)

const (
	// maxObjects and maxCommas are how many objects and commas a message in JSON may have: what it is decoded into takes some
	// 600 bytes an object and 24 bytes a number of a list, with what growing leaves behind.
	maxObjects = 1 << 18
	maxCommas  = 1 << 22
)

// fromJSON returns a message in JSON as protobuf, which message.go reads.
func fromJSON(b []byte) ([]byte, error) {
	if n := bytes.Count(b, []byte("{")); n > maxObjects {
		return nil, &body.Error{Status: http.StatusRequestEntityTooLarge, Text: fmt.Sprintf("%d objects in the JSON, more than %d: send fewer samples at once", n, maxObjects)}
	}
	if n := bytes.Count(b, []byte(",")); n > maxCommas {
		return nil, &body.Error{Status: http.StatusRequestEntityTooLarge, Text: fmt.Sprintf("%d commas in the JSON, more than %d: send fewer samples at once", n, maxCommas)}
	}
	if !json.Valid(b) { // pdata reads on over much that is no JSON; this also bounds the nesting, to 10,000
		return nil, &body.Error{Status: http.StatusBadRequest, Text: "the message is not JSON"}
	}
	out, err := convert(b)
	if err != nil {
		return nil, &body.Error{Status: http.StatusBadRequest, Text: "the message is not an ExportMetricsServiceRequest in JSON: " + firstLine(err)}
	}
	return out, nil
}

// errPanic: a library panicked.
var errPanic = errors.New("it can't be read")

// convert makes protobuf of JSON. pdata is not ours, and meets what anybody sends: its panics are errors of the message.
func convert(b []byte) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, errPanic
		}
	}()
	md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(b)
	if err != nil {
		return nil, err
	}
	return (&pmetric.ProtoMarshaler{}).MarshalMetrics(md)
}

// firstLine returns the beginning of the text of err.
func firstLine(err error) string {
	text, _, _ := bytes.Cut([]byte(err.Error()), []byte("\n"))
	return string(bytes.ToValidUTF8(text[:min(len(text), 200)], nil))
}
