package metricd

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"metricd/internal/tsdb"
)

// faulty is a server on a disk with a fault, and what its clients know.
type faulty struct {
	fault
	disk *vfs.MemFS
	out  outcome
	mu   sync.Mutex
	want map[string]map[int64]*value // by key and second

	failedAt atomic.Int64 // ns since 1970; 0: the store did not fail
}

// value is what is known of a sample.
type value struct {
	acked float64          // 0: none was
	maybe map[float64]bool // sent since then
}

func (f *faulty) wrong(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.out.Wrong) < 10 {
		f.out.Wrong = append(f.out.Wrong, fmt.Sprintf(format, args...))
	}
}

// runFault is the child of TestFaults. It prints the outcome.
func runFault(spec string) (exit int) {
	f := &faulty{disk: vfs.NewCrashableMem(), want: map[string]map[int64]*value{}}
	if err := json.Unmarshal([]byte(spec), &f.fault); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	f.life(f.disk, 0)                                                                                         // ends in order
	f.life(f.disk, 1)                                                                                         // its log is to be replayed:
	f.disk = f.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))}) // before it ended
	f.life(f.bad(), 2)
	after := vfs.CrashCloneCfg{}
	if f.Fsync == "interval" {
		after = vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))}
	}
	f.disk = f.disk.CrashClone(after)
	f.compare()
	if err := json.NewEncoder(os.Stdout).Encode(f.out); err != nil {
		return 2
	}
	return 0
}

// bad returns the disk with the fault.
func (f *faulty) bad() vfs.FS {
	kind := faultKinds[f.Kind]
	var n atomic.Int64
	return errorfs.Wrap(f.disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if !kind.is(op) {
			return nil
		}
		i := n.Add(1)
		atomic.StoreInt64(&f.out.Operations, i)
		if i == f.N || i > f.N && f.Forever {
			return &os.PathError{Op: fmt.Sprint(op.Kind), Path: op.Path, Err: kind.err}
		}
		return nil
	}))
}

func (f *faulty) open(disk vfs.FS) (*Server, error) {
	cfg := Config{Listen: "127.0.0.1:0", Data: "d", tune: func(o *tsdb.Options) {
		o.FS, o.FlushLog = disk, 4<<10
		report := o.OnFailure
		o.OnFailure = func(err error) {
			f.failedAt.Store(time.Now().UnixNano())
			report(err)
		}
	}}
	if f.Fsync == "interval" {
		cfg.SyncInterval = 5 * time.Millisecond
	}
	return Open(cfg)
}

// life is that of one server.
func (f *faulty) life(disk vfs.FS, life int) {
	cause := faultKinds[f.Kind].err
	s, err := f.open(disk)
	if err != nil {
		if f.out.Refused = true; !errors.Is(err, cause) {
			f.wrong("it does not start: %v", err)
		}
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	served := make(chan error, 1)
	go func() {
		err := s.Serve(ctx)
		if at := f.failedAt.Load(); at > 0 {
			f.out.Took = time.Since(time.Unix(0, at))
		}
		served <- err
	}()
	var clients sync.WaitGroup
	for c := range 3 {
		clients.Go(func() { f.client(s.Addr().String(), life, c) })
	}
	clients.Wait()
	if life == 1 {
		return // as if it were killed
	}
	stop()
	err = <-served
	if err != nil && f.failedAt.Load() == 0 {
		f.wrong("the store did not fail, but Serve says %v", err)
	}
	err = errors.Join(err, s.Close())
	if err == nil && f.failedAt.Load() > 0 {
		f.wrong("the store failed, but neither Serve nor Close says so")
	}
	if err != nil {
		if f.out.Failed = err.Error(); !errors.Is(err, cause) {
			f.wrong("it ends with %v", err)
		}
	}
}

// client puts and gets until all is done, or the server is gone.
func (f *faulty) client(addr string, life, c int) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second)) //nolint:errcheck // or the reads fail
	rnd := rand.New(rand.NewPCG(uint64(life), uint64(c)))
	replies := bufio.NewReader(conn)
	key := fmt.Sprintf("client.%d", c)
	for step := range 12 {
		var text []byte
		var times []int64
		var values []float64
		for i := range 1 + rnd.IntN(200) {
			t := int64(life*1000 + step*80 + i)
			if rnd.IntN(4) == 0 {
				t = rnd.Int64N(t + 1)
			}
			v := float64(life*100_000 + step*1000 + i + 1)
			times, values = append(times, t), append(values, v)
			text = fmt.Appendf(text, "put %s %g %d\n", key, v, t)
			f.send(key, t, v)
		}
		if _, err := conn.Write(fmt.Appendf(text, "get %s\n", key)); err != nil {
			return
		}
		for i, t := range times {
			rows, err := reply(replies)
			if err != nil {
				if f.failedAt.Load() == 0 {
					f.wrong("a connection ended with %v, and the store did not fail", err)
				}
				return
			}
			if rows == nil {
				f.ack(key, t, values[i])
			}
		}
		rows, err := reply(replies)
		if err != nil {
			return
		}
		f.check(key, rows)
	}
}

// reply reads a reply. It returns its rows, which for an error are that; nil: there are none.
func reply(r *bufio.Reader) (rows []string, err error) {
	for first := true; ; first = false {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "":
			return rows, nil
		case !first || line != "ok":
			rows = append(rows, line)
		}
	}
}

func (f *faulty) at(key string, t int64) *value {
	if f.want[key] == nil {
		f.want[key] = map[int64]*value{}
	}
	v := f.want[key][t]
	if v == nil {
		v = &value{maybe: map[float64]bool{}}
		f.want[key][t] = v
	}
	return v
}

func (f *faulty) send(key string, t int64, v float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at(key, t).maybe[v] = true
}

// ack says that v was acknowledged. What was sent after it may be there as well, and is larger.
func (f *faulty) ack(key string, t int64, v float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.out.Acked++
	x := f.at(key, t)
	x.acked = max(x.acked, v)
}

// check compares the rows of a get of a key with what is known: all that was acknowledged is there, and nothing that was not sent.
func (f *faulty) check(key string, rows []string) {
	if len(rows) > 0 && rows[0] == "error" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := map[int64]bool{}
	for _, row := range rows {
		fields := strings.Fields(row)
		if len(fields) != 3 || fields[0] != key {
			f.out.Wrong = append(f.out.Wrong, "a row is "+row)
			return
		}
		v, err := strconv.ParseFloat(fields[1], 64)
		t, err2 := strconv.ParseInt(fields[2], 10, 64)
		if x := f.at(key, t); errors.Join(err, err2) != nil || !x.maybe[v] || v < x.acked {
			f.out.Wrong = append(f.out.Wrong, fmt.Sprintf("a row is %s; acknowledged was %g", row, x.acked))
			return
		}
		seen[t] = true
	}
	for t, x := range f.want[key] {
		if x.acked > 0 && !seen[t] {
			f.out.Wrong = append(f.out.Wrong, fmt.Sprintf("%s at %d: %g was acknowledged and is gone", key, t, x.acked))
			return
		}
	}
}

// compare starts a server on the disk, without the fault, and compares all.
func (f *faulty) compare() {
	f.failedAt.Store(0)
	s, err := f.open(f.disk)
	if err != nil {
		f.wrong("it does not start any more: %v", err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		f.wrong("%v", err)
		return
	}
	replies := bufio.NewReader(conn)
	for key := range f.want {
		if _, err := fmt.Fprintf(conn, "get %s\n", key); err != nil {
			f.wrong("%v", err)
		}
		rows, err := reply(replies)
		if err != nil || len(rows) > 0 && rows[0] == "error" {
			f.wrong("get %s after the restart: %v, %v", key, rows, err)
		}
		f.check(key, rows)
	}
	conn.Close()
	stop()
	if err := errors.Join(<-served, s.Close()); err != nil {
		f.wrong("the end after the restart: %v", err)
	}
}
