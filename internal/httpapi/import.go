package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"metricd/internal/dump"
	"metricd/internal/storage"
)

// imported is what the answer to an import tells.
type imported struct {
	Lines    int64     `json:"lines"`              // read
	Stored   int64     `json:"stored"`             // samples, all of them durable
	Refused  int64     `json:"refused"`            // lines
	Refusals []refusal `json:"refusals,omitempty"` // the first of them
}

// refusal is a line that was refused.
type refusal struct {
	Line  int64  `json:"line"` // from 1
	Text  string `json:"text"` // its beginning
	Error string `json:"error"`
}

// maxRefusals is how many refused lines an answer lists.
const maxRefusals = 1000

// importSamples stores the samples of the body, as if they were put one after the other:
//
//	format      csv or put, see package dump; told by the beginning if it is not said. Content-Encoding may be gzip
//
// The answer comes when all is as durable as the server promises. What was refused is listed, with the numbers of its lines, and the
// others are stored: 200 if all were, else 400. 503 if the store takes nothing now (the disk is full), or the server stops; then the
// rest of the body was not looked at. In every case what "lines" counts was stored or refused, and sending all of it
// again does no harm. So lines are stored before it is known whether the end of a gzip stream, with its checksum, is as it should be.
func (s *Server) importSamples(w *reply, r *http.Request) error {
	q, err := params(r, "format")
	if err != nil {
		return err
	}
	f, err := format(q)
	if err != nil {
		return err
	}
	body := s.newBody(w, r)
	defer body.Close()
	plain, err := decompress(body, r)
	if err != nil {
		return err
	}
	text := bufio.NewReader(plain)
	if !q.Has("format") {
		start, _ := text.Peek(len(dump.Header)) // its error comes again when that is read
		f = dump.FormatOf(start)
	}
	in := importer{
		store: s.cfg.Store.Appender(),
		lines: dump.NewReader(text, f, dump.Limits{MaxLine: s.cfg.MaxLine, MaxKey: s.cfg.MaxKey}),
	}
	err = in.run()
	// Not r's context: net/http ends it when the body can't be read to its end, and even then what came is to be durable.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.cfg.Stall)
	defer cancel()
	if durable := in.store.Wait(ctx, in.seq); durable != nil {
		return durable
	}
	switch {
	case err != nil && r.Context().Err() != nil && !errors.Is(err, errStopping):
		return err // nobody listens
	case errors.Is(err, dump.ErrHeader):
		writeImport(w, asAPIError(badRequest("%v", err)), &in.told)
	case err != nil:
		e := asAPIError(err)
		e.text = fmt.Sprintf("behind line %d: %s; what came before is stored, and to import it again does no harm", in.told.Lines, e.text)
		writeImport(w, e, &in.told)
	case in.told.Refused > 0:
		writeImport(w, &apiError{http.StatusBadRequest, "bad_data", fmt.Sprintf("%d of %d lines were refused", in.told.Refused, in.told.Lines)}, &in.told)
	default:
		writeJSON(w, http.StatusOK, struct {
			Status string    `json:"status"`
			Data   *imported `json:"data"`
		}{"success", &in.told})
	}
	return nil
}

func writeImport(w http.ResponseWriter, e *apiError, told *imported) {
	if e.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	writeJSON(w, e.status, errorBody{Status: "error", ErrorType: e.kind, Error: e.text, Data: told})
}

// importer stores the samples of one import.
type importer struct {
	store storage.Appender
	lines *dump.Reader
	batch dump.Batch
	seq   storage.Seq // of what was appended
	told  imported
}

// run stores all samples. Its error is why it did not come to the end.
func (in *importer) run() error {
	for {
		err := in.lines.Next(&in.batch)
		if err != nil {
			in.told.Lines = in.lines.Lines()
		}
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, errStopping), errors.Is(err, dump.ErrHeader):
			return err
		case err != nil:
			return badRequest("%v", err)
		}
		seq, err := in.store.Append(&in.batch.Batch)
		if err != nil {
			return err
		}
		in.seq, in.told.Lines = seq, in.lines.Lines()
		if err := in.tell(); err != nil {
			return err
		}
	}
}

// tell takes note of the lines of the batch that were refused, in their order. An error means that all others would be, too.
func (in *importer) tell() error {
	b := &in.batch
	in.told.Stored += int64(len(b.Rows) - len(b.Refused))
	bad := b.Bad
	var full error
	for _, row := range b.Refused {
		number, text := in.lines.Excerpt(b, row.Row)
		for len(bad) > 0 && bad[0].Number < number {
			in.refuse(bad[0].Number, bad[0].Text, bad[0].Err)
			bad = bad[1:]
		}
		in.refuse(number, text, row.Err)
		if errors.Is(row.Err, storage.ErrReadOnly) {
			full = row.Err
		}
	}
	for _, l := range bad {
		in.refuse(l.Number, l.Text, l.Err)
	}
	return full
}

func (in *importer) refuse(line int64, text string, err error) {
	in.told.Refused++
	if len(in.told.Refusals) < maxRefusals {
		in.told.Refusals = append(in.told.Refusals, refusal{line, text, err.Error()})
	}
}
