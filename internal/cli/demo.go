//go:build linux

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee/internal/daemon"
	"github.com/lessee/lessee/internal/sandbox"
)

func (a *app) demo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: a.speak.Text("show the whole thing in a sandbox"),
		Long: a.speak.Text("Run the daemon and a DHCP server in network namespaces of their own, obtain,\n" +
			"renew and release a lease, and show each step with its packets. No root is\n" +
			"needed, no server, and nothing outside is touched."),
		Args:              adapters(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.run(func(ctx context.Context, _ []string) error {
			if sandbox.Inside() {
				return a.demoInside(ctx)
			}
			status, err := sandbox.Run(ctx, []string{"demo"}, a.Stdin, a.out.w, a.Stderr)
			if e, ok := errors.AsType[*sandbox.DeniedError](err); ok {
				return sentencef("cannot create a sandbox: %s (%s: %s)", a.speak.Text(e.Hint), a.speak.Text(e.Op), e.Err)
			}
			if err == nil && status != exitDone {
				return errReported
			}
			return err
		}),
	}
}

// demoLimit bounds the whole demonstration.
const demoLimit = 30 * time.Second

// demoPatience is how long the server may take to read what was sent to it.
const demoPatience = time.Second

// A demo is the demonstration, in its sandbox.
type demo struct {
	*app
	network *sandbox.Network
	server  *sandbox.Server
	capture *sandbox.Capture
	socket  string
	// broken counts what was not as promised.
	broken int
}

func (a *app) demoInside(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, demoLimit)
	defer cancel()
	began := a.Now()
	dir, err := sandbox.Enter()
	if err != nil {
		return err
	}
	d := &demo{app: a, socket: filepath.Join(dir, "lessee.sock")}
	if d.network, err = sandbox.NewNetwork(sandbox.NetworkConfig{}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.network.Close()) }()
	if d.server, err = d.network.Serve(sandbox.ServerConfig{}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.server.Close()) }()
	if d.capture, err = d.network.Capture(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.capture.Close()) }()
	stop, err := d.startDaemon(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()

	d.say(d.introduction())
	for _, s := range d.speak.demoSteps() {
		d.step(ctx, s)
		if ctx.Err() != nil {
			return sentencef("the demonstration did not come to its end: %s", ctx.Err())
		}
	}
	if d.broken > 0 {
		d.say(d.colour.red(d.speak.Sprintf("%d things were not as promised.", d.broken)) + "\n")
		return errReported
	}
	d.say(d.colour.green(d.speak.Sprintf("All as promised, in %s.", d.speak.took(a.Now().Sub(began)))) +
		" " + d.speak.Text("Nothing outside the sandbox was touched.") + "\n")
	return nil
}

func (d *demo) introduction() string {
	return d.speak.Text("A DHCP client and a DHCP server in a sandbox of their own:") + `

  eth0 02:00:00:00:00:02  --------  s0 10.77.0.1/24
  'lessee daemon'                   ` + d.speak.Sprintf("a server of another make, leases of %s", 2*time.Minute) + `

`
}

func (d *demo) say(text string) { _, _ = io.WriteString(d.Stdout, text) } // the sink remembers an error

// startDaemon runs the daemon in this process and returns when it is ready.
func (d *demo) startDaemon(ctx context.Context, dir string) (stop func() error, err error) {
	// It says that it is ready as it would to a service manager.
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify.sock"), Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, notify.Close()) }()
	if err := os.Setenv("NOTIFY_SOCKET", notify.LocalAddr().String()); err != nil {
		return nil, err
	}
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- daemon.Run(ctx, daemon.Options{
			ConfigPath: filepath.Join(dir, "lessee.toml"), SocketPath: d.socket, StateDir: filepath.Join(dir, "state"), Log: &log,
		})
	}()
	ready := make(chan error, 1)
	go func() {
		_, err := notify.Read(make([]byte, 256)) // the first message is READY=1
		ready <- err
	}()
	select {
	case err = <-ready:
	case err = <-ended:
		ended <- nil
		err = errors.Join(sentencef("the daemon did not start"), err)
	case <-ctx.Done():
		err = ctx.Err()
	}
	stop = func() error {
		cancel()
		return <-ended
	}
	if err != nil {
		return nil, errors.Join(err, stop(), sentencef("its log: %s", log.String()))
	}
	return stop, os.Unsetenv("NOTIFY_SOCKET")
}

// A demoStep is a command and what is promised of it.
type demoStep struct {
	args []string
	// packets cross the cable, in this order and no others.
	packets []string
	// output is found in what the command prints.
	output string
	// address tells whether the adapter has one afterwards.
	address bool
	// lease is the server's opinion of it afterwards; "" before it has one.
	lease sandbox.LeaseState
}

func (s speaker) demoSteps() []demoStep {
	obtain := []string{"DISCOVER", "OFFER", "REQUEST", "ACK"}
	extend := obtain[2:]
	release := []string{"RELEASE"}
	return []demoStep{
		{args: []string{"list"}, output: s.Text("state|disabled")},
		{args: []string{"up", "eth0"}, packets: obtain, output: s.Sprintf("from %s", "10.77.0.1"), address: true, lease: sandbox.Bound},
		{args: []string{"list"}, output: s.Text("state|bound"), address: true, lease: sandbox.Bound},
		{args: []string{"renew", "eth0"}, packets: extend, output: s.Sprintf("from %s", "10.77.0.1"), address: true, lease: sandbox.Bound},
		{args: []string{"release", "eth0"}, packets: release, output: s.Sprintf("%s released", "10.77.0.100/24"), lease: sandbox.Released},
		{args: []string{"list"}, output: s.Text("state|released"), lease: sandbox.Released},
		{args: []string{"renew", "eth0"}, packets: obtain, output: s.Sprintf("from %s", "10.77.0.1"), address: true, lease: sandbox.Bound},
		{args: []string{"down", "eth0"}, packets: release, output: "10.77.0.100/24", lease: sandbox.Released},
	}
}

// step runs a command line against the daemon and shows what came of it.
func (d *demo) step(ctx context.Context, s demoStep) {
	d.say(d.colour.bold("$ lessee "+strings.Join(s.args, " ")) + "\n")
	var out, errOut bytes.Buffer
	env := d.Env
	env.Stdout, env.Stderr, env.StderrTerminal = &out, &errOut, false
	var began time.Time
	env.asked = func(t time.Time) { began = t }
	status := Run(ctx, env, append([]string{"--socket", d.socket}, s.args...))

	packets := d.packets(ctx, s.packets)
	var types []string
	for _, p := range packets {
		types = append(types, p.Type())
		d.say(d.packetLine(p, began))
	}
	d.say(out.String() + errOut.String())
	if status != exitDone {
		d.complainf("exit status %d, promised 0", status)
	}
	if !strings.Contains(out.String(), s.output) {
		d.complainf("the output does not say %q", s.output)
	}
	if !slices.Equal(types, s.packets) {
		d.complainf("packets %v, promised %v", types, s.packets)
	}
	d.judge(ctx, s)
	d.say("\n")
}

// packets returns the DHCP packets of a step. They are on the cable before the
// command ends, and on record a moment later.
func (d *demo) packets(ctx context.Context, promised []string) []sandbox.Packet {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	isDHCP := func(p sandbox.Packet) bool { return p.Type() != "" }
	all := d.capture.Take(ctx, func(all []sandbox.Packet) bool {
		n := 0
		for _, p := range all {
			if isDHCP(p) {
				n++
			}
		}
		return n >= len(promised)
	})
	return slices.DeleteFunc(all, func(p sandbox.Packet) bool { return !isDHCP(p) })
}

// packetLine describes a packet in one line, with the time since the daemon was asked.
func (d *demo) packetLine(p sandbox.Packet, began time.Time) string {
	text := ""
	granted, span := p.Grant()
	wanted, has := p.Asks()
	switch {
	case granted.IsValid():
		text = d.speak.Sprintf("%s for %s", granted, span)
	case wanted.IsValid():
		text = d.speak.Sprintf("asks for %s", wanted)
	case has.IsValid():
		text = has.String()
	}
	line := fmt.Sprintf("%9s  %-11s -> %-15s  %-8s  %s", d.speak.took(p.Time.Sub(began)), p.Source, p.Destination, p.Type(), text)
	return d.colour.dim(strings.TrimRight(line, " ")) + "\n"
}

// judge shows the kernel's and the server's opinion after a step, and compares
// both with the promise.
func (d *demo) judge(ctx context.Context, s demoStep) {
	addresses, router, err := d.network.Configured()
	if err != nil {
		d.complainf("%s", d.speak.errorText(err))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	leases := d.server.AwaitLeases(ctx, func(all []sandbox.Lease) bool {
		return s.lease == "" && len(all) == 0 || len(all) == 1 && all[0].State == s.lease
	})
	if s.packets != nil {
		d.say(d.speak.Sprintf("kernel: %s; server: %s", d.kernelText(addresses, router), d.serverText(leases)) + "\n")
	}
	if (len(addresses) == 1) != s.address || (!s.address && len(addresses) > 0) {
		d.complainf("the kernel has %v", addresses)
	}
	switch {
	case s.lease == "" && len(leases) > 0, len(leases) > 1:
		d.complainf("the server has %d leases", len(leases))
	case s.lease != "" && (len(leases) == 0 || leases[0].State != s.lease):
		d.complainf("the server's lease is not %s", d.leaseState(s.lease))
	case s.address && leases[0].Address != addresses[0].Addr():
		d.complainf("the kernel has %s, the server gave %s", addresses[0], leases[0].Address)
	}
}

func (d *demo) kernelText(addresses []netip.Prefix, router netip.Addr) string {
	if len(addresses) == 0 {
		return d.speak.Text("no address")
	}
	var parts []string
	for _, a := range addresses {
		parts = append(parts, a.String())
	}
	if router.IsValid() {
		parts = append(parts, d.speak.Sprintf("default via %s", router))
	}
	return strings.Join(parts, ", ")
}

func (d *demo) serverText(leases []sandbox.Lease) string {
	var parts []string
	for _, l := range leases {
		text := fmt.Sprintf("%s %s", l.Address, d.leaseState(l.State))
		if l.State == sandbox.Bound {
			text += " " + d.speak.Sprintf("for %s", d.speak.remaining(l.Until.Sub(d.Now())))
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return d.speak.Text("no lease")
	}
	return strings.Join(parts, ", ")
}

func (d *demo) complainf(format string, args ...any) {
	d.broken++
	d.say(d.colour.red(d.speak.Sprintf("not as promised: %s", d.speak.Sprintf(format, args...))) + "\n")
}

// leaseState names the server's opinion of a lease.
func (d *demo) leaseState(s sandbox.LeaseState) string {
	switch s {
	case sandbox.Offered:
		return d.speak.Text("lease|offered")
	case sandbox.Bound:
		return d.speak.Text("lease|bound")
	case sandbox.Released:
		return d.speak.Text("lease|released")
	case sandbox.Declined:
		return d.speak.Text("lease|declined")
	}
	return string(s)
}
