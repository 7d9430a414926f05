package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"metricd/internal/lineproto"
)

// Row is one sample with its key.
type Row struct {
	Key   string
	Time  time.Time // UTC, whole seconds
	Value float64
}

// GetAll returns all samples of all keys: keys in the order in which each was first put, the samples
// of each by ascending time. They are read from the network as the loop goes on, in bounded
// memory however many there are, on a connection of its own: the loop may be slow and
// may use the Client. Breaking out of the loop drops the connection.
//
// An error comes once, last, with a zero Row. Until the first row was given out, a lost connection is
// made anew; after that, it is an error.
//
// Each loop over the returned sequence is a new request.
func (c *Client) GetAll(ctx context.Context) iter.Seq2[Row, error] {
	return c.stream(ctx, "*")
}

// GetRows returns all samples of one key as GetAll does those of all.
func (c *Client) GetRows(ctx context.Context, key string) iter.Seq2[Row, error] {
	if err := checkKey(key, c.dialer.opts.MaxLine); err != nil {
		return func(yield func(Row, error) bool) {
			yield(Row{}, fmt.Errorf("client: get: %w", err))
		}
	}
	return c.stream(ctx, key)
}

// errBreak ends an exchange whose reply is not wanted any more.
var errBreak = errors.New("no more rows wanted")

// stream asks for key, which may be "*".
func (c *Client) stream(ctx context.Context, key string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		var row Row
		given, stopped := false, false
		read := func(conn *conn) error {
			return conn.rows(func(p *lineproto.Part) error {
				if row.Key != string(p.Key) {
					row.Key = string(p.Key)
				}
				row.Time, row.Value = time.Unix(p.Time, 0).UTC(), p.Value
				given = true
				if stopped = !yield(row, nil); stopped {
					return errBreak
				}
				return nil
			})
		}
		var own *conn
		defer func() {
			if own != nil {
				own.close()
			}
		}()
		again := func() bool { return !given }
		err := c.do(ctx, &own, exchange{lineproto.AppendGet(nil, key), read, again})
		if err != nil && !stopped {
			yield(Row{}, fmt.Errorf("client: get: %w", err))
		}
	}
}
