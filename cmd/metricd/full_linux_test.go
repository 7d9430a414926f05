package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"metricd/client"
)

var smallDisk = flag.Int("smalldisk", 0, "TestSmallDisk fills a real small file system so many times, and fails where none can be mounted; 0: once, where one can be")

// mountVariable tells a process of the test binary that it is in a mount namespace of its own.
const mountVariable = "METRICD_TEST_MOUNTED"

// TestSmallDisk fills a tmpfs of 16 MB, or 64, under the real server: by puts from several connections, and by another program that takes all
// that is left at once. Puts are refused with the reason, gets work, space is freed by deleting or by a larger
// disk, puts work again without a restart; the server is stopped and killed while the disk is full and starts on it. All that
// was acknowledged is there each time.
//
// Mounting needs root, or a user namespace, so the test runs itself again in namespaces of its own.
func TestSmallDisk(t *testing.T) {
	if os.Getenv(mountVariable) != "" {
		for round := range max(*smallDisk, 1) {
			trySmallDisk(t, round)
		}
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestSmallDisk$", "-test.v", fmt.Sprintf("-smalldisk=%d", *smallDisk))
	cmd.Env = append(os.Environ(), mountVariable+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNS
	} else {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	probe := *cmd
	probe.Args = []string{exe, "-test.run=^$"}
	if err := probe.Run(); err != nil {
		const stands = "no file system can be mounted here (%v): TestDiskFull of internal/tsdb, on a file system in memory, stands for this"
		if *smallDisk > 0 {
			t.Fatalf(stands, err)
		}
		t.Logf(stands, err)
		return
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v", err)
	}
	t.Logf("%s", out)
}

// trySmallDisk is a trial, in a mount namespace.
func trySmallDisk(t *testing.T, round int) {
	size, larger := "size=16m", "size=32m"
	if *smallDisk > 0 {
		size, larger = "size=64m", "size=96m"
	}
	disk := filepath.Join(os.Getenv(mountVariable), "disk")
	if err := os.MkdirAll(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Fatalf("mount --make-rprivate: %v", err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, size); err != nil {
		t.Fatalf("mount a tmpfs: %v", err)
	}
	defer syscall.Unmount(disk, 0) //nolint:errcheck // it goes with the namespace
	s := &smallTrial{t: t, data: filepath.Join(disk, "data"), foreign: filepath.Join(disk, "foreign"), known: map[string]map[int64]float64{}}
	s.fsync = []string{"always", "interval"}[round%2]
	s.start()

	s.fill("the puts alone")
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, larger); err != nil {
		t.Fatalf("mount -o remount: %v", err)
	}
	s.resumes("a larger disk")

	time.AfterFunc(time.Duration(rand.IntN(300))*time.Millisecond, s.take)
	s.fill("puts and another program")
	s.free()
	s.resumes("deleting")

	s.take()
	s.fill("another program alone")
	s.stop(syscall.SIGTERM)
	s.take()
	s.start()
	s.fill("a start on a full disk")
	s.free()
	s.resumes("deleting, after a start on a full disk")

	s.take()
	s.fill("another program alone")
	s.stop(syscall.SIGKILL)
	s.take()
	s.start()
	s.fill("a start on a full disk after kill -9")
	s.stop(syscall.SIGTERM)
	s.free()
	s.start()
	s.resumes("a restart")
	s.stop(syscall.SIGTERM)
}

// smallTrial is a server on a small disk, and what is known of it.
type smallTrial struct {
	t             *testing.T
	data, foreign string
	fsync         string
	server        *exec.Cmd
	addr          string
	known         map[string]map[int64]float64
	round         int
}

func (s *smallTrial) start() {
	s.t.Helper()
	begin := time.Now()
	s.server, s.addr = startOn(s.t, s.data, s.fsync)
	if took := time.Since(begin); took > 5*time.Second {
		s.t.Errorf("the start took %v", took)
	}
	compareKilled(s.t, s.addr, s.known, nil)
}

func (s *smallTrial) stop(signal syscall.Signal) {
	s.t.Helper()
	if err := s.server.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
	if err := s.server.Wait(); err != nil && signal != syscall.SIGKILL {
		s.t.Fatalf("stop: %v", err)
	}
}

// take writes a file as large as there is space.
func (s *smallTrial) take() {
	f, err := os.OpenFile(s.foreign, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return // there is not even space for its name
	}
	defer f.Close()
	zeros := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(zeros)
	}
}

func (s *smallTrial) free() {
	if err := os.Remove(s.foreign); err != nil {
		s.t.Error(err)
	}
}

// fill puts over four connections, each until it was refused, with gets beside it, and compares.
func (s *smallTrial) fill(by string) {
	s.t.Helper()
	const conns = 4
	s.round++
	begin := time.Now()
	var logs [conns]refusals
	var senders sync.WaitGroup
	for c := range conns {
		senders.Go(func() { logs[c].run(s.t, s.addr, s.round, c) })
	}
	senders.Wait()
	sent := make([]sending, conns)
	acked := 0
	for c := range conns {
		sent[c] = logs[c].sending
		acked += len(sent[c].puts)
	}
	// What was refused is not there.
	for c := range sent {
		sent[c].acked = len(sent[c].puts)
	}
	compareKilled(s.t, s.addr, s.known, sent)
	total := 0
	for _, samples := range s.known {
		total += len(samples)
	}
	s.t.Logf("full by %s: %d puts acknowledged in %.1f s, %d samples stored: %s", by, acked, time.Since(begin).Seconds(), total, logs[0].reason)
}

// resumes waits until puts are taken, and compares.
func (s *smallTrial) resumes(after string) {
	s.t.Helper()
	begin := time.Now()
	c, err := client.Dial(s.t.Context(), s.addr, client.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	for {
		err := c.Put(context.Background(), "resumed", float64(s.round), time.Unix(int64(s.round), 0))
		if err == nil {
			break
		}
		if !strings.Contains(err.Error(), "disk is full") || time.Since(begin) > patience {
			s.t.Fatalf("%v after %s: %v", time.Since(begin), after, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if s.known["resumed"] == nil {
		s.known["resumed"] = map[int64]float64{}
	}
	s.known["resumed"][int64(s.round)] = float64(s.round)
	compareKilled(s.t, s.addr, s.known, nil)
	s.t.Logf("puts are taken %.2f s after %s", time.Since(begin).Seconds(), after)
}

// refusals is what one connection sent and was acknowledged, and why the last was refused.
type refusals struct {
	sending
	reason string
}

// run sends puts of its own keys, many at a time and a tenth of them overwrites, and a get now and then, until ten times all were refused.
func (s *refusals) run(t *testing.T, addr string, round, c int) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	rnd := rand.New(rand.NewPCG(uint64(round), uint64(c)))
	replies := bufio.NewReader(conn)
	for n, full := 0, 0; full < 10; {
		const batch = 1000
		var text []byte
		var puts []sent
		for range batch {
			n++
			p := sent{fmt.Sprintf("full.%d.%d", c, rnd.IntN(20)), int64(round*100_000_000 + n), rnd.NormFloat64()}
			if rnd.IntN(10) == 0 {
				p.t -= rnd.Int64N(int64(n))
			}
			puts = append(puts, p)
			text = fmt.Appendf(text, "put %s %v %d\n", p.key, p.value, p.t)
		}
		if _, err := conn.Write(fmt.Appendf(text, "get full.%d.0\n", c)); err != nil {
			t.Error(err)
			return
		}
		refused := 0
		for _, p := range puts {
			status, reason := next(t, replies)
			switch {
			case status == "ok":
				s.puts = append(s.puts, p)
			case status == "error" && strings.HasPrefix(reason, "disk is full: "):
				s.reason = reason
				refused++
			default:
				t.Errorf("a put was answered %q, %q", status, reason)
				return
			}
		}
		if status, row := next(t, replies); status != "ok" {
			t.Errorf("a get was answered %q, %q", status, row)
			return
		}
		if refused == batch {
			full++
			time.Sleep(20 * time.Millisecond) // as a client that was told
		}
	}
}

// next reads a reply, and returns its first two lines.
func next(t *testing.T, r *bufio.Reader) (status, second string) {
	for n := 0; ; n++ {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Errorf("instead of a reply: %v", err)
			return "", ""
		}
		line = strings.TrimSuffix(line, "\n")
		switch {
		case n == 0:
			status = line
		case line == "":
			return status, second
		case n == 1:
			second = line
		}
	}
}
