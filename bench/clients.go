package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
)

// A client is a DHCP client that is measured.
type client struct {
	name     string
	programs []string
	// watchesLink says that it waits for a carrier by itself; perAdapter that
	// each adapter takes a process of its own.
	watchesLink, perAdapter bool
	// remembers says that it comes back to a network with the lease it had.
	remembers bool
	// lean is an environment in which it keeps little memory that it does not need.
	lean []string
	// prepare does what precedes the start and is not measured.
	prepare func(t *trial, s *lab.Space, adapters []string)
	start   func(t *trial, s *lab.Space, adapters []string) *running
}

// A running client has the verbs it offers; nil where it has none.
type running struct {
	// crash ends it, with its address and lease as they are; nil where it takes
	// the address away with the carrier.
	crash func()
	// idle waits until it waits for a carrier, bound until it takes commands.
	idle, bound func()
	// settle, called before a renewal, returns what waits until the client is
	// through with it; nil where the call itself does.
	settle func() func()
	// renew and release are the quickest way to ask it: a call or a signal.
	renew, release func()
	// renewCommand and releaseCommand run a program that asks it.
	renewCommand, releaseCommand func()
	// again makes it obtain a lease after a release.
	again func()
}

var clients = []*client{ours, udhcpc, dhclient, dhcpcd, networkd}

func (c *client) missing() string {
	for _, p := range c.programs {
		if _, err := lab.Program(p); err != nil {
			return p
		}
	}
	return ""
}

func nothing(*trial, *lab.Space, []string) {}

func must(t *trial, err error) {
	if err != nil {
		t.Fatalf("%v", err)
	}
}

var ours = &client{
	name: "lessee", watchesLink: true, remembers: true, lean: []string{"GOGC=10"},
	prepare: func(t *trial, _ *lab.Space, _ []string) { lab.Binary(t) },
	start: func(t *trial, s *lab.Space, adapters []string) *running {
		d := s.Daemon(t, lab.Options{Args: adapters, Env: t.env})
		ctx := context.Background()
		socket := []string{lessee.SocketEnv + "=" + d.Socket}
		command := func(args ...string) func() {
			return func() {
				if r := s.CLI(t, socket, args...); r.Status != 0 {
					t.Fatalf("lessee %s: %s", args, r.Stderr)
				}
			}
		}
		return &running{
			crash:          d.Crash,
			idle:           func() { d.AwaitLine(t, patience, "msg=ready") },
			bound:          func() { d.AwaitLine(t, patience, "msg=ready") },
			renew:          func() { must(t, d.Client.Renew(ctx, adapters[0])) },
			release:        func() { must(t, d.Client.Release(ctx, adapters[0])) },
			again:          func() { must(t, d.Client.Renew(ctx, adapters[0])) },
			renewCommand:   command("renew", adapters[0]),
			releaseCommand: command("release", adapters[0]),
		}
	},
}

// peer starts one of the lab's other clients.
func peer(name string) func(t *trial, s *lab.Space, adapters []string) *lab.Peer {
	kind := lab.PeerByName(name)
	return func(t *trial, s *lab.Space, adapters []string) *lab.Peer {
		var first *lab.Peer
		for _, a := range adapters {
			p := kind.Start(t, s, a)
			if first == nil {
				first = p
			}
		}
		return first
	}
}

func awaitBound(t *trial, name string, p *lab.Peer) func() {
	return func() { p.AwaitLine(t, patience, lab.PeerByName(name).Bound) }
}

// awaitNext waits for the next line that says that there is a lease.
func awaitNext(t *trial, name string, p *lab.Peer) func() func() {
	return func() func() {
		mark := p.Lines.Mark()
		return func() { p.AwaitLineFrom(t, mark, patience, lab.PeerByName(name).Renewed) }
	}
}

var udhcpc = &client{
	name: "udhcpc", programs: lab.PeerByName("udhcpc").Programs, perAdapter: true, prepare: nothing,
	start: func(t *trial, s *lab.Space, adapters []string) *running {
		p := peer("udhcpc")(t, s, adapters)
		return &running{
			bound:   awaitBound(t, "udhcpc", p),
			settle:  awaitNext(t, "udhcpc", p),
			renew:   func() { p.Renew(t) },
			release: func() { p.Release(t) },
			again:   func() { p.Renew(t) },
		}
	},
}

var dhclient = &client{
	name: "dhclient", programs: lab.PeerByName("dhclient").Programs, perAdapter: true, prepare: nothing,
	start: func(t *trial, s *lab.Space, adapters []string) *running {
		p := peer("dhclient")(t, s, adapters)
		return &running{
			bound:          awaitBound(t, "dhclient", p),
			releaseCommand: func() { p.Release(t) },
		}
	},
}

var dhcpcd = &client{
	name: "dhcpcd", programs: []string{"dhcpcd"}, watchesLink: true, remembers: true, perAdapter: true, prepare: nothing,
	start: func(t *trial, s *lab.Space, adapters []string) *running {
		p := peer("dhcpcd")(t, s, adapters)
		return &running{
			idle:           func() { p.AwaitLine(t, patience, "waiting for carrier") },
			bound:          awaitBound(t, "dhcpcd", p),
			settle:         awaitNext(t, "dhcpcd", p),
			renewCommand:   func() { p.Renew(t) },
			releaseCommand: func() { p.Release(t) },
		}
	},
}

// networkd needs a message bus of its own for its commands.
var networkd = &client{
	name: "networkd", programs: []string{networkdPath, "busctl", "dbus-daemon"}, watchesLink: true, remembers: true,
	prepare: func(t *trial, s *lab.Space, adapters []string) {
		socket := s.Path("bus")
		s.Write(t, "bus.conf", fmt.Sprintf(busConfig, socket))
		bus := s.Start(t, "dbus-daemon", "--config-file="+s.Path("bus.conf"), "--nofork", "--nopidfile")
		s.Write(t, "network/10-c.network", fmt.Sprintf(networkConfig, strings.Join(adapters, " ")))
		must(t, s.Do(func() error {
			if err := os.MkdirAll("/etc/systemd/network", 0o755); err != nil {
				return err
			}
			return unix.Mount(s.Path("network"), "/etc/systemd/network", "", unix.MS_BIND, "")
		}))
		s.Run(t, "sh", "-c", "mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp && chown -R systemd-network: /run/systemd/netif")
		if !lab.Eventually(patience, func() bool { _, err := os.Stat(socket); return err == nil || bus.Exited() }) || bus.Exited() {
			t.Fatalf("dbus-daemon does not start")
		}
	},
	start: func(t *trial, s *lab.Space, adapters []string) *running {
		env := func(c *exec.Cmd) *exec.Cmd {
			c.Env = append(c.Environ(), "DBUS_SYSTEM_BUS_ADDRESS=unix:path="+s.Path("bus"), "SYSTEMD_LOG_LEVEL=info", "SYSTEMD_LOG_TARGET=console")
			return c
		}
		p := s.StartCmd(t, env(s.Command(t, networkdPath)))
		call := func(method string) func() {
			link, err := s.Net.LinkByName(adapters[0])
			must(t, err)
			return func() {
				out, err := s.Output(env(s.Command(t, "busctl", "call", "org.freedesktop.network1", "/org/freedesktop/network1",
					"org.freedesktop.network1.Manager", method, "i", fmt.Sprint(link.Attrs().Index))))
				if err != nil {
					t.Fatalf("busctl: %v %s", err, out)
				}
			}
		}
		return &running{
			idle:         func() { p.AwaitLine(t, patience, "Enumeration completed"); time.Sleep(200 * time.Millisecond) },
			bound:        func() { p.AwaitLine(t, patience, "DHCPv4 address") },
			renewCommand: call("RenewLink"),
		}
	},
}

const networkdPath = "/lib/systemd/systemd-networkd"

const networkConfig = `[Match]
Name=%s
[Network]
DHCP=ipv4
IPv6AcceptRA=no
LinkLocalAddressing=no
[DHCPv4]
UseHostname=no
ClientIdentifier=mac
SendRelease=no
`

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*" eavesdrop="true"/>
  </policy>
</busconfig>
`
