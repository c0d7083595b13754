package daemon

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// TestConfigErrors: what is wrong, and where.
func TestConfigErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text   string
		line, column int
		problem      string
	}{
		{"unknown key", "verbose = true\nadaptors = [\"eth0\"]\n", 2, 1, `unknown key "adaptors"`},
		{"unknown key of an adapter", "[adapter.eth0]\nmetrik = 1\n", 2, 1, `unknown key "adapter.eth0.metrik"`},
		{"unknown section", "[dsn]\nmode = \"none\"\n", 1, 2, `unknown key "dsn"`},
		{"wrong type", "adapters = [\"eth0\"]\nverbose = \"yes\"\n", 2, 11, `key "verbose": must be true or false, not of type string`},
		{"wrong type of an adapter", "[adapter.eth0]\nmetric = \"low\"\n", 2, 10, `must be a whole number`},
		{"not a list", "adapters = \"eth0\"\n", 1, 12, `key "adapters": must`},
		{"number out of range", "[defaults]\nmetric = -1\n", 2, 10, `"defaults.metric": must be a whole number from 0 to 4294967295`},
		{"number too large", "[defaults]\nmetric = 4294967296\n", 2, 10, `"defaults.metric": must be a whole number from 0 to 4294967295`},
		{"syntax", "verbose = \n", 1, 11, "unexpected character"},
		{"no such mode", "[dns]\nmode = \"magic\"\n", 0, 0, `key "dns.mode": "magic" is not one of`},
		{"no such timing", "[defaults]\ntiming = \"slow\"\n", 0, 0, `key "defaults.timing": "slow" is not one of fast, strict`},
		{"client identifier", "[adapter.eth0]\nclient_id = \"xyz\"\n", 0, 0, `"xyz" is not one of mac, duid, and is not hexadecimal`},
		{"short client identifier", "[adapter.eth0]\nclient_id = \"01\"\n", 0, 0, `has 1 bytes, not 2 to 255`},
		{"host name", "[defaults]\nhostname = \"a b\"\n", 0, 0, `is not a host name`},
		{"adapter name", "adapters = [\"../etc\"]\n", 0, 0, `is not the name of a network interface`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := parseConfig("lessee.toml", []byte(c.text))
			e, ok := errors.AsType[*ConfigError](err)
			if !ok {
				t.Fatalf("got %v, want a *ConfigError", err)
			}
			if e.Line != c.line || e.Column != c.column || !strings.Contains(e.Problem, c.problem) {
				t.Errorf("got %q, want line %d, column %d: %s", e, c.line, c.column, c.problem)
			}
		})
	}
}

// TestConfigLayers: an adapter's own setting, the defaults', the built-in one.
func TestConfigLayers(t *testing.T) {
	t.Parallel()
	c, err := parseConfig("lessee.toml", []byte(`
adapters = ["eth0", "eth1"]
[defaults]
hostname = ""
timing = "strict"
metric = 50
[adapter.eth1]
hostname = "box"
timing = "fast"
client_id = "ff:00:01"
routes = "none"
table = 7
conflict = "probe"
link_local = true
`))
	if err != nil {
		t.Fatal(err)
	}
	if a := c.adapter("eth0"); a.HostName != "" || a.Timing != dhcp4.StrictTiming || a.Metric != 50 || a.Routes != v4.RoutesAll || !a.DNS || !a.MTU || a.Broadcast {
		t.Errorf("eth0: %+v", a)
	}
	if a := c.adapter("eth1"); a.HostName != "box" || a.Timing != dhcp4.DefaultTiming || a.Metric != 50 || a.Routes != v4.RoutesNone || a.Table != 7 || a.Conflict != v4.ConflictProbe || !a.LinkLocal || !bytes.Equal(a.ClientID, []byte{0xff, 0, 1}) {
		t.Errorf("eth1: %+v", a)
	}
}

// TestConfigFile: one that is absent is empty unless it was asked for; one that
// cannot be read is an error.
func TestConfigFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if c, err := LoadConfig(filepath.Join(dir, "none.toml"), false); err != nil || len(c.Adapters) != 0 {
		t.Errorf("absent: %+v, %v", c, err)
	}
	if _, err := LoadConfig(filepath.Join(dir, "none.toml"), true); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent, but asked for: %v", err)
	}
	if _, err := LoadConfig(dir, false); err == nil {
		t.Error("a directory was read as a file")
	}
}

// TestExampleConfig: the example that is installed says what holds without it.
func TestExampleConfig(t *testing.T) {
	t.Parallel()
	c, err := LoadConfig("../../packaging/lessee.toml", true)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Adapters) != 0 {
		t.Errorf("the example manages %v: it must not touch anything as it comes", c.Adapters)
	}
	var empty Config
	if got, want := c.adapter("eth0"), empty.adapter("eth0"); got.HostName != want.HostName || got.Timing != want.Timing ||
		got.Metric != want.Metric || got.Routes != want.Routes || got.Table != want.Table || got.Conflict != want.Conflict || got.LinkLocal != want.LinkLocal || got.Inform != want.Inform || got.DNS != want.DNS || got.MTU != want.MTU || got.Broadcast != want.Broadcast {
		t.Errorf("the example's adapter is %+v, without it %+v", got, want)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte("adapters = [\"eth0\"]\n[adapter.eth0]\nmetric = 1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConfig("lessee.toml", data)
		if err != nil {
			if _, ok := errors.AsType[*ConfigError](err); !ok {
				t.Errorf("%T: %v", err, err)
			}
			return
		}
		for _, name := range c.Adapters {
			c.adapter(name)
		}
	})
}
