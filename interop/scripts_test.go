package interop

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"testing"

	prom "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	promstorage "github.com/prometheus/prometheus/storage"

	"metricd/internal/promql"
)

// storages are what the scripts run over.
var storages = map[string]func(testing.TB) promstorage.Storage{
	"prometheus": func(t testing.TB) promstorage.Storage { return plain{promqltest.NewBuiltinTestStorage(t)} },
	"memory":     func(t testing.TB) promstorage.Storage { return plain{newOurs(inMemory(t))} },
	"disk":       func(t testing.TB) promstorage.Storage { return plain{newOurs(onDisk(t))} },
}

// engines are what they run by: the server's engine, and one with all that the scripts try, experimental or not.
var engines = map[string]func(testing.TB) *prom.Engine{
	"server": func(testing.TB) *prom.Engine { return prom.NewEngine(promql.EngineOptions(promql.Options{})) },
	"experimental": func(t testing.TB) *prom.Engine {
		return promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	},
}

// These variables of the environment name the storage and the engine, in a process that runs the scripts.
const (
	storageVariable = "METRICD_SCRIPTS_OVER"
	engineVariable  = "METRICD_SCRIPTS_BY"
)

// TestScripts: of Prometheus' own scripts of PromQL, every evaluation passes or fails over a Store as it does over Prometheus'
// storage. Each storage has a process of its own, since an evaluation that fails fails the test that it is part of.
func TestScripts(t *testing.T) {
	if over := os.Getenv(storageVariable); over != "" {
		promqltest.RunBuiltinTestsWithStorage(t, engines[os.Getenv(engineVariable)](t), storages[over])
		return
	}
	// At least so many evaluations pass. Others are about what neither side has here: native histograms, start timestamps
	// and, by the server's engine, what is experimental.
	t.Run("server", func(t *testing.T) { compareScripts(t, "server", 1248, "memory", "disk") })
	t.Run("experimental", func(t *testing.T) { compareScripts(t, "experimental", 1539, "memory", "disk") })
}

// compareScripts runs the scripts by an engine over Prometheus' storage, where least of them must pass, and over others.
func compareScripts(t *testing.T, engine string, least int, others ...string) {
	want := outcomes(t, engine, "prometheus")
	passing := 0
	for _, passed := range want {
		if passed {
			passing++
		}
	}
	t.Logf("%d of %d evaluations pass", passing, len(want))
	if passing < least {
		t.Errorf("%d of %d evaluations pass over Prometheus' storage, want %d", passing, len(want), least)
	}
	for _, over := range others {
		t.Run(over, func(t *testing.T) {
			got := outcomes(t, engine, over)
			if len(got) != len(want) {
				t.Errorf("%d evaluations, want %d", len(got), len(want))
			}
			for evaluation, passed := range want {
				if got[evaluation] != passed {
					t.Errorf("%s: passed %v, over Prometheus' storage %v", evaluation, got[evaluation], passed)
				}
			}
		})
	}
}

// outcome is how the test framework says how an evaluation ended.
var outcome = regexp.MustCompile(`^ +--- (PASS|FAIL): TestScripts/(testdata/\S+/line_.*) \([0-9.]+s\)$`)

// outcomes runs the scripts in a process of their own and says which evaluations passed.
func outcomes(t *testing.T, engine, over string) map[string]bool {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestScripts$", "-test.v")
	cmd.Env = append(os.Environ(), storageVariable+"="+over, engineVariable+"="+engine)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	passed := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if m := outcome.FindSubmatch(lines.Bytes()); m != nil {
			passed[string(m[2])] = string(m[1]) == "PASS"
		}
	}
	if len(passed) == 0 {
		t.Fatalf("no evaluation ended:\n%s", out)
	}
	return passed
}
