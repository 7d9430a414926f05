package bench

import (
	"context"
	"fmt"
	"strconv"

	"metricd/internal/lineproto"
)

// putSingle is the workload of puts that each wait for their reply.
func (r *run) putSingle(ctx context.Context) error {
	cursors := split(r.load, r.cfg.Connections)
	dialogs := make([]*dialog, len(cursors))
	for k, cur := range cursors {
		dialogs[k] = putDialog(cur, cur.left)
	}
	if err := r.converse(ctx, dialogs); err != nil || r.tally.errors > 0 {
		return err
	}
	return r.readBack(ctx)
}

// putDialog puts the next limit samples of cur, one at a time.
func putDialog(cur *cursor, limit int64) *dialog {
	ok := []byte(lineproto.OK)
	return &dialog{end: lineproto.OK[2:], next: func(dst []byte) (request, reply []byte) {
		if limit == 0 {
			return nil, nil
		}
		limit--
		if cap(dst) < cur.l.maxLine {
			dst = make([]byte, 0, cur.l.maxLine)
		}
		request, _ = cur.fill(dst, 1)
		return request, ok
	}}
}

// setRedis is the workload putSingle as a redis-server understands it: SET with the same
// keys and values, in RESP.
func (r *run) setRedis(ctx context.Context) error {
	cursors := split(r.load, r.cfg.Connections)
	dialogs := make([]*dialog, len(cursors))
	ok := []byte("+OK\r\n")
	for k, cur := range cursors {
		var key, value []byte
		dialogs[k] = &dialog{end: "\r\n", next: func(dst []byte) (request, reply []byte) {
			if cur.left == 0 {
				return nil, nil
			}
			s, i := cur.next()
			key = cur.l.appendKey(key[:0], s)
			value = cur.l.appendValue(value[:0], s, i)
			dst = append(dst, "*3\r\n$3\r\nSET\r\n"...)
			dst = appendBulk(dst, key)
			return appendBulk(dst, value), ok
		}}
	}
	return r.converse(ctx, dialogs)
}

// appendBulk appends b as a bulk string of RESP.
func appendBulk(dst, b []byte) []byte {
	dst = append(dst, '$')
	dst = strconv.AppendInt(dst, int64(len(b)), 10)
	dst = append(dst, "\r\n"...)
	dst = append(dst, b...)
	return append(dst, "\r\n"...)
}

// maxReplies bounds the text of the replies that are held to compare with, in bytes.
const maxReplies = 64 << 20

// getKeys is the workload of gets of single keys, each of which waits for its reply. Every
// reply is compared with the bytes that must come.
func (r *run) getKeys(ctx context.Context) error {
	l := r.load
	if size := l.series * l.samples * l.maxLine; size > maxReplies {
		return fmt.Errorf("the replies to check against would take %d bytes, at most %d are held: take fewer series or samples", size, maxReplies)
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	replies := make([][]byte, l.series)
	for s := range replies {
		replies[s] = l.appendReply(nil, s)
	}
	dialogs := make([]*dialog, min(r.cfg.Connections, r.cfg.Requests))
	for k := range dialogs {
		left, place := share(r.cfg.Requests, k, len(dialogs)), uint64(k)<<32
		dialogs[k] = &dialog{end: "\n" + lineproto.GetTail, next: func(dst []byte) (request, reply []byte) {
			if left == 0 {
				return nil, nil
			}
			left--
			place++
			s := int(mix(l.seed, place) % uint64(l.series))
			dst = l.appendKey(append(dst, "get "...), s)
			return append(dst, '\n'), replies[s]
		}}
	}
	err := r.converse(ctx, dialogs)
	r.result.ReadBack = r.tally.acked * int64(l.samples)
	return err
}

// converse measures the dialogs, each over a connection of its own.
func (r *run) converse(ctx context.Context, dialogs []*dialog) error {
	conns, err := dial(ctx, r.cfg, len(dialogs))
	if err != nil {
		return err
	}
	defer closeAll(conns)
	return r.measure(ctx, func() error { return converse(ctx, conns, dialogs, r.cfg.Timeout, r.tally) })
}

// prepare puts all samples over one connection, unmeasured: series come in their order.
func (r *run) prepare(ctx context.Context) error {
	conns, err := dial(ctx, r.cfg, 1)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	t := newTally()
	if err := pipeline(ctx, r.cfg, conns, split(r.load, 1), t); err != nil {
		return err
	}
	if t.errors > 0 {
		return fmt.Errorf("%d of the puts before were refused; the first: %s", t.errors, t.first)
	}
	return nil
}
