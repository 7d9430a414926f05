package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"metricd/internal/lineproto"
)

// Client sends one request at a time and waits for its reply. It keeps one connection,
// except that each GetAll and GetRows in progress has one of its own. All methods may be called
// concurrently; Put and Get take turns.
//
// A context that ends unblocks its call at once; the connection, which may be in the middle of a
// reply, is dropped then and the next call makes a new one.
type Client struct {
	dialer dialer
	ctx    context.Context // done when the Client is closed
	cancel context.CancelFunc
	turn   chan struct{} // holds its one element while a call uses conn
	conn   *conn         // nil: none; owned by the holder of the turn
}

// Sample is one value of a key.
type Sample struct {
	Time  time.Time // UTC, whole seconds
	Value float64
}

// Dial connects to the server at addr, host:port. It makes one attempt, so that a wrong
// address shows at once. ctx is for connecting alone.
func Dial(ctx context.Context, addr string, opts Options) (*Client, error) {
	c := &Client{dialer: dialer{addr, opts.withDefaults()}, turn: make(chan struct{}, 1)}
	conn, err := c.dialer.connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	c.conn = conn
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c, nil
}

// Close ends the Client and every call in progress, which return ErrClosed.
func (c *Client) Close() error {
	c.cancel()
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	if c.conn == nil {
		return nil
	}
	err := c.conn.nc.Close()
	c.conn = nil
	return err
}

// Put stores one sample and returns when the server has acknowledged it. After an error that is
// neither ErrInvalid nor a *ServerError the sample may have been stored or not.
func (c *Client) Put(ctx context.Context, key string, value float64, t time.Time) error {
	sec, err := putTime(t)
	if err == nil {
		err = checkKey(key, c.dialer.opts.MaxLine)
	}
	if err != nil {
		return fmt.Errorf("client: put: %w", err)
	}
	again := func() bool { return !c.dialer.opts.NoResend }
	err = c.inTurn(ctx, exchange{lineproto.AppendPut(nil, key, value, sec), func(conn *conn) error {
		return conn.rows(func(*lineproto.Part) error {
			return fmt.Errorf("%w: a row in the reply to a put", ErrProtocol)
		})
	}, again})
	if err != nil {
		return fmt.Errorf("client: put: %w", err)
	}
	return nil
}

// Get returns all samples of key by ascending time; none if there is no such key. The samples are in memory
// together: GetRows gives them one by one.
func (c *Client) Get(ctx context.Context, key string) ([]Sample, error) {
	if err := checkKey(key, c.dialer.opts.MaxLine); err != nil {
		return nil, fmt.Errorf("client: get: %w", err)
	}
	var samples []Sample
	err := c.inTurn(ctx, exchange{lineproto.AppendGet(nil, key), func(conn *conn) error {
		samples = samples[:0]
		return conn.rows(func(p *lineproto.Part) error {
			if string(p.Key) != key {
				return fmt.Errorf("%w: a row of %.80q, asked for %.80q", ErrProtocol, p.Key, key)
			}
			samples = append(samples, Sample{time.Unix(p.Time, 0).UTC(), p.Value})
			return nil
		})
	}, always})
	if err != nil {
		return nil, fmt.Errorf("client: get: %w", err)
	}
	return samples, nil
}

// always says that a request may be sent again whatever happened.
func always() bool { return true }

// exchange is one request and what to do with its reply.
type exchange struct {
	request []byte
	read    func(*conn) error // takes the whole reply; called once an attempt
	again   func() bool       // whether the request may be sent again, once it may have been carried out
}

// inTurn does x on the Client's connection.
func (c *Client) inTurn(ctx context.Context, x exchange) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
		return c.do(ctx, &c.conn, x)
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ctx.Done():
		return ErrClosed
	}
}

// do does x on *slot, again on new connections while that may help. It leaves in *slot the
// connection to go on with, or nil.
func (c *Client) do(ctx context.Context, slot **conn, x exchange) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	retry := retry{opts: &c.dialer.opts}
	for {
		if c.ctx.Err() != nil {
			return ErrClosed
		}
		sent, err := c.attempt(ctx, slot, x)
		switch {
		case err == nil || refusal(err):
			return err
		case c.ctx.Err() != nil:
			return ErrClosed
		case ctx.Err() != nil:
			return fmt.Errorf("%w, with: %w", ctx.Err(), err)
		case errors.Is(err, ErrProtocol):
			return err
		case sent && !x.again() && !errors.Is(err, ErrTooManyConnections):
			return fmt.Errorf("%w: %w", ErrNotAcknowledged, err)
		}
		if err := retry.wait(ctx, err); err != nil {
			if c.ctx.Err() != nil {
				return ErrClosed
			}
			return err
		}
	}
}

// attempt does x once. sent is false if the server can't have seen the request.
func (c *Client) attempt(ctx context.Context, slot **conn, x exchange) (sent bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if *slot == nil {
		if *slot, err = c.dialer.connect(ctx); err != nil {
			*slot = nil
			return false, err
		}
	}
	conn := *slot
	stop := context.AfterFunc(ctx, conn.close)
	err = conn.write(x.request)
	if err == nil {
		err = x.read(conn)
	}
	if !stop() || err != nil && !refusal(err) {
		conn.close()
		*slot = nil
	}
	return true, err
}
