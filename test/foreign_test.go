package test

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/lessee/lessee/internal/linux/clients"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/test/lab"
)

// manager asks a new finder, in the client's network namespace, about an interface.
func manager(t *testing.T, s *lab.Space, ifname string) (name, how string) {
	t.Helper()
	err := s.Do(func() error {
		l, err := net.InterfaceByName(ifname)
		if err != nil {
			return err
		}
		name, how, _ = clients.New().Manager(netconf.Link{Index: l.Index, Name: l.Name})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return name, how
}

// TestForeignClients finds each real client while it looks for a lease, when it
// has one, and not when it has ended; and on its own adapter only.
func TestForeignClients(t *testing.T) {
	t.Parallel()
	for _, peer := range lab.Peers {
		t.Run(peer.Name, func(t *testing.T) {
			t.Parallel()
			lab.Need(t, peer.Programs...)
			lab.Need(t, dnsmasq().Programs...)
			h := newLink(t)
			h.net.Attach(h.client, "c1", "02:00:00:00:00:03")
			if name, how := manager(t, h.client, "c0"); name != "" {
				t.Fatalf("before: %s (%s)", name, how)
			}
			p := peer.Start(t, h.client, "c0") // nobody answers it yet
			if !lab.Eventually(patience, func() bool { name, _ := manager(t, h.client, "c0"); return name == peer.Name }) {
				name, how := manager(t, h.client, "c0")
				t.Errorf("while it looks for a lease: %q (%s)", name, how)
			}
			h.serve(t, dnsmasq(), lab.Config{})
			p.AwaitLine(t, patience, peer.Bound)
			name, how := manager(t, h.client, "c0")
			if name != peer.Name || !contains(how, fmt.Sprintf("%s, pid ", peer.Name)) {
				t.Errorf("with a lease: %q (%s)", name, how)
			}
			if name, how := manager(t, h.client, "c1"); name != "" {
				t.Errorf("on another adapter: %s (%s)", name, how)
			}
			p.Kill()
			if !lab.Eventually(patience, func() bool { name, _ := manager(t, h.client, "c0"); return name == "" }) {
				name, how := manager(t, h.client, "c0")
				t.Errorf("when it has ended: %s (%s)", name, how)
			}
		})
	}
}

// TestForeignPort finds a program that nobody knows by its socket, on the
// adapter it is bound to or on all.
func TestForeignPort(t *testing.T) {
	t.Parallel()
	h := newLink(t)
	h.net.Attach(h.client, "c1", "02:00:00:00:00:03")
	for device, want := range map[string]map[string]string{
		"c0": {"c0": clients.Unknown, "c1": ""},
		"c1": {"c0": "", "c1": clients.Unknown},
		"":   {"c0": clients.Unknown, "c1": clients.Unknown},
	} {
		fd := -1
		err := h.client.Do(func() (err error) {
			if fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0); err != nil {
				return err
			}
			if device != "" {
				if err := syscall.BindToDevice(fd, device); err != nil {
					return err
				}
			}
			return syscall.Bind(fd, &syscall.SockaddrInet4{Port: 68})
		})
		if err != nil {
			t.Fatal(err)
		}
		// The socket is this process's own, which a finder overlooks: hand it
		// to a process that only sleeps.
		cmd := h.client.Command(t, "sleep", "600")
		cmd.ExtraFiles = append(cmd.ExtraFiles, os.NewFile(uintptr(fd), "port 68"))
		p := h.client.StartCmd(t, cmd)
		_ = cmd.ExtraFiles[0].Close()
		for link, name := range want {
			if got, how := manager(t, h.client, link); got != name || name != "" && !contains(how, "UDP port 68 open") {
				t.Errorf("bound to %q, asked for %s: %q (%s), want %q", device, link, got, how, name)
			}
		}
		p.Kill()
	}
}
