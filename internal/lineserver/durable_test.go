package lineserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// slowDisk is a store in memory in which nothing is durable until the test says so.
type slowDisk struct {
	storage.Store
	ctx context.Context // ends what the test waits for

	mu struct {
		sync.Mutex
		rows    []int         // rows taken up to each sequence, which begin with 1
		durable storage.Seq   // up to here
		waiting int           // calls of Wait that wait
		err     error         // why nothing more will be durable
		changed chan struct{} // closed when any of these changes
	}
}

func newSlowDisk(t *testing.T, opts tsdb.Options) *slowDisk {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	d := &slowDisk{Store: openStore(opts), ctx: ctx}
	d.mu.rows = []int{0}
	d.mu.changed = make(chan struct{})
	t.Cleanup(func() {
		cancel()
		d.Close()
	})
	return d
}

// change does f and tells all who wait.
func (d *slowDisk) change(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
	close(d.mu.changed)
	d.mu.changed = make(chan struct{})
}

// await waits until cond holds or ctx is done.
func (d *slowDisk) await(ctx context.Context, cond func() bool) error {
	for {
		d.mu.Lock()
		ok, changed := cond(), d.mu.changed
		d.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *slowDisk) expect(t *testing.T, what string, cond func() bool) {
	t.Helper()
	if d.await(d.ctx, cond) != nil {
		t.Fatalf("no %s: %d rows taken, %d waiting", what, d.mu.rows[len(d.mu.rows)-1], d.mu.waiting)
	}
}

// taken waits until n rows were taken.
func (d *slowDisk) taken(t *testing.T, n int) {
	t.Helper()
	d.expect(t, fmt.Sprintf("%d rows", n), func() bool { return d.mu.rows[len(d.mu.rows)-1] == n })
}

// waiting waits until n calls wait.
func (d *slowDisk) waiting(t *testing.T, n int) {
	t.Helper()
	d.expect(t, fmt.Sprintf("%d in Wait", n), func() bool { return d.mu.waiting == n })
}

// release makes all up to seq durable and returns how many rows that is.
func (d *slowDisk) release(seq storage.Seq) (rows int) {
	d.change(func() {
		d.mu.durable = min(max(seq, d.mu.durable), storage.Seq(len(d.mu.rows)-1))
		rows = d.mu.rows[d.mu.durable]
	})
	return rows
}

const all = ^storage.Seq(0)

func (d *slowDisk) fail(err error) { d.change(func() { d.mu.err = err }) }

func (d *slowDisk) Select(ctx context.Context, q storage.Query) storage.SeriesSet {
	last := storage.Seq(0)
	d.await(ctx, func() bool {
		last = max(last, storage.Seq(len(d.mu.rows)-1))
		return d.mu.durable >= last || d.mu.err != nil
	})
	return d.Store.Select(ctx, q)
}

func (d *slowDisk) Appender() storage.Appender { return &slowAppender{d.Store.Appender(), d} }

type slowAppender struct {
	storage.Appender
	d *slowDisk
}

func (a *slowAppender) Append(b *storage.Batch) (seq storage.Seq, err error) {
	a.d.change(func() {
		if err = a.d.mu.err; err != nil {
			return
		}
		if _, err = a.Appender.Append(b); err == nil && len(b.Refused) < len(b.Rows) {
			a.d.mu.rows = append(a.d.mu.rows, a.d.mu.rows[len(a.d.mu.rows)-1]+len(b.Rows)-len(b.Refused))
			seq = storage.Seq(len(a.d.mu.rows) - 1)
		}
	})
	return seq, err
}

func (a *slowAppender) Wait(ctx context.Context, seq storage.Seq) error {
	d := a.d
	if ctx.Err() == nil {
		d.change(func() { d.mu.waiting++ })
		defer d.change(func() { d.mu.waiting-- })
	}
	var failed error
	err := d.await(ctx, func() bool {
		if d.mu.durable < seq {
			failed = d.mu.err
		}
		return d.mu.durable >= seq || failed != nil
	})
	if err != nil {
		return err
	}
	return failed
}

// silent fails if anything has arrived.
func silent(t *testing.T, c *net.TCPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var buf [100]byte
	raw.Read(func(fd uintptr) bool {
		if n, err := syscall.Read(int(fd), buf[:]); err != syscall.EAGAIN {
			t.Fatalf("got %q (%v) too early", buf[:max(n, 0)], err)
		}
		return true
	})
}

const okText = "ok\n\n"

// TestHeldUntilDurable: an ok leaves when its put is durable, and no reply overtakes it.
func TestHeldUntilDurable(t *testing.T) {
	d := newSlowDisk(t, tsdb.Options{MaxSeries: 1})
	c := start(t, Config{Store: d}).dial()
	for _, tt := range []struct{ requests, replies string }{
		{"put a 1 1\n", okText},
		{"put a 2 2\nput a x 1\nput a 3 3\n", okText + wrong + okText},
		{"put a 2 2\nput b 1 1\nput a 3 3\nnonsense\n", okText + "error\nseries limit reached: 1 series is the most allowed (--max-series)\n\n" + okText + wrong},
		{strings.Repeat("put a 1 1\n", 900) + "x\n", strings.Repeat(okText, 900) + wrong},
	} {
		send(t, c, tt.requests)
		d.waiting(t, 1)
		silent(t, c)
		d.release(all)
		expect(t, c, tt.replies)
		silent(t, c)
	}
	// What waits for nothing is answered at once.
	send(t, c, "put b 1 1\nx\nget b\n")
	expect(t, c, "error\nseries limit reached: 1 series is the most allowed (--max-series)\n\n"+wrong+okText)
	if g, w := start(t, Config{Store: d}).talk("get a\n"), "ok\na 1.0 1\na 2.0 2\na 3.0 3\n\n"; g != w {
		t.Errorf("got %q, want %q", g, w)
	}
}

// TestReadsOn: while puts are not durable, later ones are read and appended; as much is answered as is durable.
func TestReadsOn(t *testing.T) {
	const batch = 1500
	d := newSlowDisk(t, tsdb.Options{})
	c := start(t, Config{Store: d}).dial()
	for i := range 4 {
		send(t, c, strings.Repeat("put a 1 1\n", batch))
		d.taken(t, (i+1)*batch)
	}
	send(t, c, "x\nput a 1 1\n")
	d.taken(t, 4*batch+1)
	silent(t, c)
	answered := 0
	for seq := storage.Seq(1); answered < 4*batch; seq++ {
		rows := d.release(seq)
		d.waiting(t, 1) // for the next
		expect(t, c, strings.Repeat(okText, rows-answered))
		if answered = rows; answered < 4*batch {
			silent(t, c)
		}
	}
	expect(t, c, wrong)
	silent(t, c)
	d.release(all)
	expect(t, c, okText)
}

// TestGetBehindHeld: rows come behind the oks of the puts before.
func TestGetBehindHeld(t *testing.T) {
	const puts = 3000
	d := newSlowDisk(t, tsdb.Options{})
	r := start(t, Config{Store: d})
	got := make(chan string)
	go func() { got <- r.talk(strings.Repeat("put a 1 1\n", puts) + "get a\nput a 2 1\nget *\nput a") }()
	d.taken(t, puts)
	d.release(all)
	d.taken(t, puts+1)
	d.release(all)
	if g, w := <-got, strings.Repeat(okText, puts)+"ok\na 1.0 1\n\n"+okText+"ok\na 2.0 1\n\n"+wrong; g != w {
		t.Errorf("got %d bytes ending in %q, want %d", len(g), g[max(0, len(g)-100):], len(w))
	}
}

// TestDiskFails: puts that were durable are answered ok, and all others with the reason, one by one and
// in their places, however many they are.
func TestDiskFails(t *testing.T) {
	const reason = "error\nstore failed: no\\nsuch device\n\n"
	for _, batches := range []int{1, 40, 200} {
		d := newSlowDisk(t, tsdb.Options{})
		c := start(t, Config{Store: d}).dial()
		send(t, c, strings.Repeat("put a 1 1\n", 1500)+"x\nput a 1 1\n")
		d.taken(t, 1501)
		for i := range batches {
			send(t, c, strings.Repeat("put a 1 1\n", 1500))
			d.taken(t, 1501+(i+1)*1500)
		}
		done := d.release(1)
		want := strings.Repeat(okText, done) + strings.Repeat(reason, 1500-done) + wrong + strings.Repeat(reason, 1+batches*1500)
		d.fail(fmt.Errorf("%w: no\\nsuch device", storage.ErrFailed))
		go func() {
			io.WriteString(c, "y\nput a 1 1\nput a 2 1\nx")
			c.CloseWrite()
		}()
		expectEnd(t, c, want+wrong+reason+reason+wrong)
	}
}

// TestSingleFails: the same where the session itself waits.
func TestSingleFails(t *testing.T) {
	d := newSlowDisk(t, tsdb.Options{})
	c := start(t, Config{Store: d}).dial()
	send(t, c, "put a 1 1\nx\nput a 1 2\n")
	d.waiting(t, 1)
	d.release(1)
	d.waiting(t, 1)
	expect(t, c, okText+wrong)
	silent(t, c)
	d.fail(storage.ErrFailed)
	expect(t, c, "error\nstore failed\n\n")
	send(t, c, "put a 1 1\n")
	expect(t, c, "error\nstore failed\n\n")
}

// TestHalfClose: a client that ends its input gets all replies, in time.
func TestHalfClose(t *testing.T) {
	for _, puts := range []int{1, 5000} {
		d := newSlowDisk(t, tsdb.Options{})
		c := start(t, Config{Store: d}).dial()
		send(t, c, strings.Repeat("put a 1 1\n", puts)+"put a")
		c.CloseWrite()
		d.taken(t, puts)
		d.waiting(t, 1)
		silent(t, c)
		d.release(all)
		expectEnd(t, c, strings.Repeat(okText, puts)+wrong)
	}
}

// TestStopWhileWaiting: what was received is answered as soon as it is durable; where that never happens, the
// server stops all the same, and claims nothing.
func TestStopWhileWaiting(t *testing.T) {
	const few, many = 3, 5000
	for _, never := range []bool{false, true} {
		d := newSlowDisk(t, tsdb.Options{})
		r := start(t, Config{Store: d})
		a, b := r.dial(), r.dial()
		send(t, a, strings.Repeat("put a 1 1\n", few))
		d.taken(t, few)
		send(t, b, strings.Repeat("put a 1 1\n", many))
		d.taken(t, few+many)
		d.waiting(t, 2)
		r.stop()
		silent(t, a)
		silent(t, b)
		if never {
			r.wait()
			for _, c := range []net.Conn{a, b} {
				if got, _ := io.ReadAll(c); len(got) > 0 {
					t.Errorf("got %.100q", got)
				}
			}
			continue
		}
		d.release(all)
		expectEnd(t, a, strings.Repeat(okText, few))
		expectEnd(t, b, strings.Repeat(okText, many))
		a.Close()
		b.Close()
		r.wait()
	}
}

// TestClientGoneWhileWaiting: nothing is left of clients that reset while their puts are synced.
func TestClientGoneWhileWaiting(t *testing.T) {
	d := newSlowDisk(t, tsdb.Options{})
	r := start(t, Config{Store: d})
	for _, puts := range []int{1, 2000} {
		c := r.dial()
		send(t, c, strings.Repeat("put a 1 1\n", puts))
		d.waiting(t, 1)
		c.SetLinger(0)
		c.Close()
		d.release(all)
		d.waiting(t, 0)
	}
	r.stop()
	r.wait()
}

// TestSlowDiskIsNotTheClient: a client is not taken for dead while its replies wait for the store; its
// requests are not read for ever, either.
func TestSlowDiskIsNotTheClient(t *testing.T) {
	const timeout = 100 * time.Millisecond
	const replies = 200_000 // much more than maxPending
	d := newSlowDisk(t, tsdb.Options{})
	r := start(t, Config{Store: d, WriteTimeout: timeout})
	c := r.dial()
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(c, strings.Repeat("put a 1 1\n", 2000)+strings.Repeat("x\n", replies))
		c.CloseWrite()
		sent <- err
	}()
	d.waiting(t, 1)
	tick := time.NewTicker(timeout)
	defer tick.Stop()
	for range 5 {
		<-tick.C
	}
	silent(t, c)
	if n := r.srv.Stats().Malformed; n > int64(maxPending/len(wrong)+readSize) {
		t.Errorf("%d requests were read", n)
	}
	d.release(all)
	expectEnd(t, c, strings.Repeat(okText, 2000)+strings.Repeat(wrong, replies))
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if st := r.srv.Stats(); st.Stalled != 0 {
		t.Errorf("stats %+v", st)
	}
}

// TestRandomDurability: with puts, refusals, errors and gets in any order and pieces, and a disk that syncs now and then,
// the replies are those of a store in memory, and no ok comes before its time.
func TestRandomDurability(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		d := newSlowDisk(t, tsdb.Options{MaxSeries: 3})
		r := start(t, Config{Store: d})
		model := start(t, Config{Store: openStore(tsdb.Options{MaxSeries: 3})})
		var requests strings.Builder
		for range 1 + rnd.IntN(60) {
			switch rnd.IntN(6) {
			case 0:
				requests.WriteString("nonsense\n")
			case 1:
				requests.WriteString([]string{"get a\n", "get b\n", "get *\n"}[rnd.IntN(3)])
			default:
				key := string("abcdef"[rnd.IntN(6)])
				for range 1 + rnd.IntN(10)*rnd.IntN(300) {
					fmt.Fprintf(&requests, "put %s %d %d\n", key, rnd.IntN(100), rnd.IntN(20))
				}
			}
		}
		text := requests.String()
		want := model.talk(text)
		c := r.dial()
		step, pieces := uint64(1+rnd.IntN(4)), 1+rnd.IntN(5)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range pieces {
				io.WriteString(c, text[len(text)*i/pieces:len(text)*(i+1)/pieces])
			}
			c.CloseWrite()
		}()
		stop := make(chan struct{})
		var syncing sync.WaitGroup
		syncing.Go(func() {
			for seq := storage.Seq(0); ; {
				d.mu.Lock()
				changed := d.mu.changed
				last := storage.Seq(len(d.mu.rows) - 1)
				d.mu.Unlock()
				if seq < last {
					seq = min(last, seq+storage.Seq(step))
					d.release(seq)
					continue
				}
				select {
				case <-changed:
				case <-stop:
					return
				}
			}
		})
		got, err := io.ReadAll(c)
		if err != nil || string(got) != want {
			t.Errorf("got %d bytes (%v), want %d", len(got), err, len(want))
		}
		close(stop)
		syncing.Wait()
		<-done
	}
}

// lateStore is durable only when it was waited for.
type lateStore struct{ storage.Store }

type lateAppender struct {
	storage.Appender
	durable storage.Seq
}

func (s lateStore) Appender() storage.Appender { return &lateAppender{Appender: s.Store.Appender()} }

var errNotYet = errors.New("not yet")

func (a *lateAppender) Wait(ctx context.Context, seq storage.Seq) error {
	if ctx.Err() == nil {
		a.durable = max(seq, a.durable)
	}
	if seq > a.durable {
		return errNotYet
	}
	return nil
}

// toldApp is an Appender of which only Wait is asked.
type toldApp struct {
	storage.Appender
	durable bool
}

func (a *toldApp) Wait(ctx context.Context, _ storage.Seq) error {
	if a.durable {
		return nil
	}
	return ctx.Err()
}

// TestReleasedMeanwhile: between the moment when the writer finds nothing to write and the one when it waits, the session
// may have released all that was held.
func TestReleasedMeanwhile(t *testing.T) {
	app := &toldApp{}
	s := &session{app: app, ctx: t.Context(), progress: make(chan struct{}, 1)}
	s.mu.writing = true
	s.mu.pending.addOKs(1, 7)
	if p, _, end := s.written(0, nil, nil); len(p) > 0 || end {
		t.Fatalf("the writer writes %q (%v) before its put is durable", p, end)
	}
	app.durable = true
	w := &work{}
	w.out.addString("a 1.0 2\n")
	if _, err := s.sendNow(w, true); err != nil {
		t.Fatal(err)
	}
	if err := s.sync(); err != nil {
		t.Fatal(err)
	}
}
