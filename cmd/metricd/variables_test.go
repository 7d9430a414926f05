package main

import "testing"

// TestVariables: each flag has a variable, and no two flags that mean different things have the same.
func TestVariables(t *testing.T) {
	parser, err := newParser()
	if err != nil {
		t.Fatal(err)
	}
	shared := map[string]string{"METRICD_ADDR": "addr", "METRICD_HTTP_ADDR": "http", "METRICD_HTTP_CA": "ca", "METRICD_HTTP_CERT": "cert", "METRICD_HTTP_KEY": "key"} // the servers to talk to
	sameThing := map[string]string{                                                                                                                                   // what serve --collect does, collect does
		"METRICD_COLLECT_INTERVAL": "serve --collect-interval collect --interval",
		"METRICD_COLLECT_TAGS":     "serve --collect-tags collect --tags",
		"METRICD_COLLECT_HOST":     "serve --collect-host collect --host",
	}
	of := map[string]string{}
	for _, command := range parser.Model.Children {
		for _, flag := range command.Flags {
			if len(flag.Envs) != 1 || len(flag.Tag.Envs) != 1 || flag.Tag.Envs[0] != flag.Envs[0] {
				t.Errorf("%s --%s has the variables %q, %q", command.Name, flag.Name, flag.Envs, flag.Tag.Envs)
				continue
			}
			name, who := flag.Envs[0], command.Name+" --"+flag.Name
			if other, taken := of[name]; taken && shared[name] != flag.Name && sameThing[name] != other+" "+who {
				t.Errorf("%s is of %s and of %s", name, other, who)
			}
			of[name] = who
		}
	}
	for _, want := range []struct{ name, of string }{
		{"METRICD_HTTP", "serve --http"},
		{"METRICD_HTTP_HOST", "serve --http-host"},
		{"METRICD_WEB_CONFIG_FILE", "serve --web.config.file"},
		{"METRICD_LOG_FORMAT", "serve --log-format"},
		{"METRICD_GET_FORMAT", "get --format"},
		{"METRICD_EXPORT_START", "export --start"},
		{"METRICD_BENCH_READ_BACK", "bench --read-back"},
	} {
		if of[want.name] != want.of {
			t.Errorf("%s is of %q, want %s", want.name, of[want.name], want.of)
		}
	}
}
