package collect

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// wantLines checks what has come to f since it was last asked.
func wantLines(t *testing.T, f *far, want []string) {
	t.Helper()
	if got := f.lines(); !slices.Equal(got, want) {
		t.Errorf("got lines %q\nwant %q", got, want)
	}
}

// every gives s the rounds from first to last, of n samples, one each ten seconds.
func every(s *Sender, first, last, n int) {
	for i := first; i <= last; i++ {
		s.Take(context.Background(), round(i, n))
		time.Sleep(10 * time.Second)
	}
}

// shut closes s and checks how much is left.
func shut(t *testing.T, s *Sender, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if got := s.Close(ctx); got != want {
		t.Errorf("%d samples unsent, want %d", got, want)
	}
}

func TestSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f := new(far)
		s := f.sender(&log, 10)
		every(s, 1, 5, 3)
		wantLines(t, f, putLines(1, 5, 3))
		s.Take(t.Context(), round(6, 2)) // is sent though it was not waited for
		shut(t, s, 0)
		wantLines(t, f, putLines(6, 6, 2))
		if f.dials != 1 {
			t.Errorf("%d connections", f.dials)
		}
		if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "the server takes samples") {
			t.Errorf("want one line in the log:\n%s", &log)
		}
	})
}

// TestAway: what comes while the server is away arrives later, in order, but for what is too much: the oldest. The log says so once a minute.
func TestAway(t *testing.T) {
	for name, before := range map[string]int{"from the start": 0, "later": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				f := new(far)
				s := f.sender(&log, 10)
				every(s, 1, before, 1)
				wantLines(t, f, putLines(1, before, 1))
				f.leave()
				every(s, before+1, before+60, 1) // ten minutes
				wantLines(t, f, nil)
				if n := strings.Count(log.String(), "can't be reached"); n < 9 || n > 11 {
					t.Errorf("said %d times in ten minutes:\n%s", n, &log)
				}
				if !strings.Contains(log.String(), "explained: ") || !strings.Contains(log.String(), "refused") {
					t.Errorf("the log does not say why:\n%s", &log)
				}
				f.come()
				every(s, before+61, before+62, 1)
				shut(t, s, 0)
				wantLines(t, f, putLines(before+52, before+62, 1)) // 10 were kept, then another came and found the server back
				if !strings.Contains(log.String(), "the server takes samples again") {
					t.Errorf("the log does not say that it is back:\n%s", &log)
				}
				if strings.Contains(log.String(), "not stored") {
					t.Errorf("what is sent again is said to be lost:\n%s", &log)
				}
				if got := said(log.String(), "dropped="); got != 51 {
					t.Errorf("the log says that %d samples were dropped, want 51:\n%s", got, &log)
				}
			})
		})
	}
}

// said returns the sum of the numbers behind name in a log.
func said(log, name string) (sum int) {
	for _, rest := range strings.Split(log, name)[1:] {
		n := 0
		for _, c := range rest {
			if c < '0' || c > '9' {
				break
			}
			n = 10*n + int(c-'0')
		}
		sum += n
	}
	return sum
}

// TestBreaks: a round whose replies were lost is sent again as a whole, and a short absence is no news.
func TestBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f := new(far)
		s := f.sender(&log, 10)
		every(s, 1, 1, 3)
		wantLines(t, f, putLines(1, 1, 3))
		f.reply = func(string) string { return "" }
		s.Take(t.Context(), round(2, 3))
		synctest.Wait()
		time.Sleep(time.Second)
		wantLines(t, f, putLines(2, 2, 1))
		f.reply = nil
		f.come()
		time.Sleep(glitch)
		wantLines(t, f, putLines(2, 2, 3))
		shut(t, s, 0)
		if strings.Contains(log.String(), "reached") {
			t.Errorf("the log speaks of it:\n%s", &log)
		}
	})
}

// TestRefused: what the server does not want is counted, and said once a minute; the others arrive.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f := &far{reply: func(line string) string {
			if strings.HasPrefix(line, "put odd") {
				return "error\ndisk is full\n\n"
			}
			return "ok\n\n"
		}}
		s := f.sender(&log, 10)
		for i := range 60 {
			s.Take(t.Context(), Round{time.Unix(int64(i), 0), []Sample{{"odd", 1}, {"no key", 1}, {"even", 1}}})
			time.Sleep(10 * time.Second)
		}
		shut(t, s, 0)
		if got := f.lines(); len(got) != 120 {
			t.Errorf("got %d lines, want two of each round", len(got))
		}
		text := log.String()
		if n := strings.Count(text, "not stored"); n != 10 || !strings.Contains(text, "disk is full") {
			t.Errorf("said %d times in ten minutes, want 10:\n%s", n, text)
		}
		if n := said(text, " samples="); n != 2*(60-5) {
			t.Errorf("the log counts %d, want all but those of the last minute, 110:\n%s", n, text)
		}
	})
}

// TestCloseAway: to close does not wait for a server that is away, nor longer than it may for one that does not answer.
func TestCloseAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f := &far{down: true}
		s := f.sender(&log, 10)
		every(s, 1, 4, 3)
		begin := time.Now()
		shut(t, s, 12)
		if took := time.Since(begin); took != 0 {
			t.Errorf("took %v", took)
		}
		wantLines(t, f, nil)
	})
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		silent := make(chan struct{})
		f := new(far)
		f.reply = func(string) string { <-silent; return "ok\n\n" }
		s := f.sender(&log, 10)
		every(s, 1, 2, 3)
		begin := time.Now()
		shut(t, s, 6)
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
		close(silent)
	})
}

// TestCatchUp: what was kept for a server that is away goes out when the Sender is closed just as it comes back.
func TestCatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f := &far{down: true}
		s := f.sender(&log, 10)
		every(s, 1, 4, 1)
		f.come()
		shut(t, s, 0)
		wantLines(t, f, putLines(1, 4, 1))
	})
}
