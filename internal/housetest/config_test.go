//go:build linux

package housetest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lessee/lessee/internal/daemon"
)

func load(t *testing.T, text string) daemon.Config {
	t.Helper()
	name := filepath.Join(t.TempDir(), "lessee.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := daemon.LoadConfig(name, true)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The example is installed as the configuration: it manages nothing, and what it
// shows commented out is understood.
func TestExampleConfiguration(t *testing.T) {
	t.Parallel()
	text := find(t, "packaging/lessee.toml").text
	if c := load(t, text); len(c.Adapters) != 0 {
		t.Errorf("it manages %q", c.Adapters)
	}
	text = strings.Replace(text, "adapters = []\n", "", 1)
	shown := regexp.MustCompile(`(?m)^# ([a-z_]+ = .*|\[.*\])$`).ReplaceAllString(text, "$1")
	c := load(t, shown)
	if len(c.Adapters) != 1 || c.Adapter["eth0"].Metric == nil || c.Defaults.Timing == nil {
		t.Errorf("not all was understood: %+v", c)
	}
}

func TestConfigurationInDocs(t *testing.T) {
	t.Parallel()
	_, block, _ := strings.Cut(find(t, "docs/configuration.md").text, "```toml\n")
	block, _, ok := strings.Cut(block, "```")
	if !ok {
		t.Fatal("docs/configuration.md has no block of TOML")
	}
	if c := load(t, block); len(c.Adapters) != 1 || c.Adapter["eth0"].Metric == nil || c.Defaults.Timing == nil {
		t.Errorf("not all was understood: %+v", c)
	}
}
