//go:build linux

package resolver

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/lessee/lessee/internal/netconf"
)

// bus starts a message bus of the test's own and returns its address.
func bus(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skip("needs the program dbus-daemon (package dbus-daemon or dbus)")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "bus.conf")
	text := `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path=` + dir + `/sock</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "--config-file="+config, "--nofork", "--nopidfile", "--print-address")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// resolve1 is the part of systemd-resolved that is called.
type resolve1 struct{ calls chan string }

func (r resolve1) SetLinkDNS(index int32, servers []server) *dbus.Error {
	r.calls <- fmt.Sprint("dns ", index, servers)
	return nil
}

func (r resolve1) SetLinkDomains(index int32, domains []domain) *dbus.Error {
	r.calls <- fmt.Sprint("domains ", index, domains)
	return nil
}

func (r resolve1) RevertLink(index int32) *dbus.Error {
	r.calls <- fmt.Sprint("revert ", index)
	if index == int32(eth1.Index) {
		return dbus.NewError(resolvedNoLink, []any{"Link not known"})
	}
	return nil
}

// start puts the service on the bus.
func (r resolve1) start(t *testing.T, address string) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Export(r, resolvedPath, resolvedManager); err != nil {
		t.Fatal(err)
	}
	if reply, err := conn.RequestName(resolvedName, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(reply, err)
	}
	return conn
}

func (r resolve1) expect(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-r.calls:
			if got != w {
				t.Errorf("called %q, want %q", got, w)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("not called: %s", w)
		}
	}
	if len(r.calls) != 0 {
		t.Errorf("called too much: %s", <-r.calls)
	}
}

func TestResolved(t *testing.T) {
	address := bus(t)
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
	service := resolve1{make(chan string, 16)}
	conn := service.start(t, address)

	c := newConf(t, "")
	if err := os.Symlink("/run/systemd/resolve/stub-resolv.conf", c.path); err != nil {
		t.Fatal(err)
	}
	c.opt.Mode = ModeAuto // the link tells who it is
	r := c.resolver()
	d := servers("10.77.0.1")
	d.Domain = domains("lab.test")[0]
	set(t, r, eth1, netconf.DNS{}) // nothing of ours to take back
	set(t, r, eth0, d)
	set(t, r, eth0, d)
	told := []string{"dns 2 [{2 [10 77 0 1]}]", "domains 2 [{lab.test false}]"}
	service.expect(t, told...)

	// A restart makes it forget; it is told again.
	_ = conn.Close()
	conn = service.start(t, address)
	service.expect(t, told...)

	set(t, r, eth0, netconf.DNS{})
	service.expect(t, "revert 2")
	set(t, r, eth1, d)
	set(t, r, eth1, netconf.DNS{}) // the interface went: no error
	service.expect(t, "dns 3 [{2 [10 77 0 1]}]", "domains 3 [{lab.test false}]", "revert 3")

	_ = conn.Close()
	if err := r.Set(eth0, d); err == nil || !strings.Contains(err.Error(), "eth0: set up name resolution: systemd-resolved: ") {
		t.Errorf("without the service: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
