package dhcptest

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// failing makes TestThatMayFail fail.
const failing = "DHCPTEST_FAILING"

// TestThatMayFail is what TestFailureNamesItsSeed runs: with the variable set,
// one seed in some finds a lost frame.
func TestThatMayFail(t *testing.T) {
	Each(t, 40, func(t *testing.T, w *World) {
		l := w.NewLink("lan")
		l.SetFaults(Faults{Loss: 0.2})
		arrived := false
		p := l.Plug(clientLink, nil)
		l.Plug(serverLink, func(Frame) { arrived = true })
		if err := p.Send(Frame{From: clientLink, To: serverLink, Type: EtherARP, Payload: []byte("hello")}); err != nil {
			t.Fatal(err)
		}
		if err := w.Run(time.Second); err != nil {
			t.Fatal(err)
		}
		if !arrived && os.Getenv(failing) != "" {
			t.Error("it did not arrive")
		}
	})
}

func TestFailureNamesItsSeed(t *testing.T) {
	t.Parallel()
	run := func(env ...string) string {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestThatMayFail$", "-test.v")
		cmd.Env = append(os.Environ(), append(env, failing+"=1")...)
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Fatalf("it did not fail:\n%s", out)
		}
		return string(out)
	}
	line := regexp.MustCompile(`to run it again: DHCPTEST_SEED=(\d+) go test -run '\^TestThatMayFail\$' \.`)
	found := line.FindAllStringSubmatch(run(), -1)
	if len(found) < 2 || len(found) > 30 {
		t.Fatalf("%d seeds failed", len(found))
	}
	again := run(SeedVariable + "=" + found[1][1])
	if n := len(line.FindAllString(again, -1)); n != 1 {
		t.Errorf("%d failures the second time", n)
	}
	if !strings.Contains(again, "lan to 02:00:00:00:00:01: lost") {
		t.Errorf("no trace:\n%s", again)
	}
	if out := run(SeedVariable + "=many"); !strings.Contains(out, "a seed is a whole number") {
		t.Errorf("%s", out)
	}
}
