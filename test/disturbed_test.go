package test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/test/lab"
)

// TestLogReaderStopped checks that a log whose reader has stopped holds up nothing, and
// that all lines come when it reads again.
func TestLogReaderStopped(t *testing.T) {
	t.Parallel()
	lab.Need(t, "cat")
	h := newHome(t, dnsmasq(), lab.Config{})
	h.net.Attach(h.client, "c1", "02:00:00:00:00:03")
	log := h.client.Path("log")
	if err := unix.Mkfifo(log, 0o600); err != nil {
		t.Fatal(err)
	}
	// Opened for both, it waits for nobody.
	pipe, err := os.OpenFile(log, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if _, err := unix.FcntlInt(pipe.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize()); err != nil {
		t.Fatal(err)
	}
	reader := h.client.Start(t, "cat", log)
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"--verbose", "c0", "c1"}, Log: log})
	d.AwaitBound(t, "c0")
	d.AwaitBound(t, "c1")

	const times = 20
	undisturbed := renewTimes(t, d, "c1", times)
	signal(t, reader, syscall.SIGSTOP)
	// The lines of a renewal have some hundred bytes: with so little room left, the
	// daemon soon waits to write the next ones.
	const room = 2000
	for full := false; !full; {
		mark := d.Events.Mark()
		d.Must(t, "renew", "c0")
		d.AwaitEvent(t, mark, patience, "renewed")
		waiting, err := unix.IoctlGetInt(int(pipe.Fd()), unix.TIOCINQ)
		if err != nil {
			t.Fatal(err)
		}
		full = waiting > os.Getpagesize()-room
	}
	for range 5 {
		d.Must(t, "renew", "c0")
	}
	disturbed := renewTimes(t, d, "c1", times)
	logTimes(t, "the reader of the log has stopped", undisturbed, disturbed)
	d.Must(t, "list")
	d.Must(t, "release", "c0")
	signal(t, reader, syscall.SIGCONT)

	reader.AwaitLine(t, patience, `msg="asked to release" adapter=c0`)
	asked := 0
	for _, line := range reader.Lines.Since(0) {
		if strings.Contains(line, `msg="asked to renew" adapter=c1`) {
			asked++
		}
	}
	if asked != 2*times {
		t.Errorf("the log has %d renewals of c1, want %d", asked, 2*times)
	}
}

// TestResolvedStopped checks that a systemd-resolved that answers no more holds up the
// adapter whose name servers change for a moment, and others not at all.
func TestResolvedStopped(t *testing.T) {
	t.Parallel()
	lab.Need(t, "dbus-daemon")
	h := newHome(t, dnsmasq(), lab.Config{DNS: []netip.Addr{addr("10.77.0.1")}})
	h.net.Attach(h.client, "c1", "02:00:00:00:00:03")
	h.client.Start(t, "dbus-daemon", "--config-file="+h.client.Write(t, "bus.conf", fmt.Sprintf(busConfig, h.client.Path("bus"))), "--nofork", "--nopidfile")
	bus := "DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + h.client.Path("bus")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if !lab.Eventually(patience, func() bool { _, err := os.Stat(h.client.Path("bus")); return err == nil }) {
		t.Fatal("there is no bus")
	}
	cmd := h.client.Command(t, self)
	cmd.Env = append(cmd.Environ(), helperEnv+"=resolved", bus)
	resolved := h.client.StartCmd(t, cmd)
	resolved.AwaitLine(t, patience, "^ready$")
	// It has to be the machine's own: name resolution belongs to that.
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0", "c1"}, Container: true, Env: []string{bus}, Config: "[dns]\nmode = \"resolved\"\n"})
	c0 := d.AwaitBound(t, "c0")
	d.AwaitBound(t, "c1")
	told := fmt.Sprintf("^SetLinkDNS %d$", c0.Index)
	resolved.AwaitLine(t, patience, told)

	const times = 20
	undisturbed := renewTimes(t, d, "c1", times)
	signal(t, resolved, syscall.SIGSTOP)
	mark, events := resolved.Lines.Mark(), d.Events.Mark()
	done := make(chan error)
	go func() {
		err := d.Client.Release(context.Background(), "c0") // its name servers are taken back
		if err == nil {
			err = d.Client.Renew(context.Background(), "c0")
		}
		done <- err
	}()
	d.AwaitEvent(t, events, patience, "released") // resolved is asked in the same breath
	disturbed := renewTimes(t, d, "c1", times)
	logTimes(t, "resolved has stopped", undisturbed, disturbed)
	if err := <-done; err != nil {
		t.Error(err)
	}
	d.Must(t, "list")
	d.Must(t, "why", "c0")
	signal(t, resolved, syscall.SIGCONT)
	resolved.AwaitLineFrom(t, mark, patience, fmt.Sprintf("^RevertLink %d$", c0.Index))
	resolved.AwaitLineFrom(t, mark, patience, told)
}

// signal sends a signal; a process that is stopped goes on before the test ends.
func signal(t *testing.T, p *lab.Process, sig syscall.Signal) {
	t.Helper()
	if err := p.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
`

func init() { helpers["resolved"] = playResolved }

// resolve1 is the part of systemd-resolved that is called. It prints the calls.
type resolve1 struct{}

type (
	linkServer struct {
		Family  int32
		Address []byte
	}
	linkDomain struct {
		Name      string
		RouteOnly bool
	}
)

func (resolve1) SetLinkDNS(index int32, _ []linkServer) *dbus.Error {
	fmt.Println("SetLinkDNS", index)
	return nil
}

func (resolve1) SetLinkDomains(index int32, _ []linkDomain) *dbus.Error {
	fmt.Println("SetLinkDomains", index)
	return nil
}

func (resolve1) RevertLink(index int32) *dbus.Error {
	fmt.Println("RevertLink", index)
	return nil
}

// playResolved serves the bus until the process is killed.
func playResolved() int {
	conn, err := dbus.ConnectSystemBus()
	if err == nil {
		err = conn.Export(resolve1{}, "/org/freedesktop/resolve1", "org.freedesktop.resolve1.Manager")
	}
	if err == nil {
		_, err = conn.RequestName("org.freedesktop.resolve1", dbus.NameFlagDoNotQueue)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("ready")
	select {}
}
