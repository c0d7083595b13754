//go:build linux

package resolver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	resolvedName     = "org.freedesktop.resolve1"
	resolvedManager  = resolvedName + ".Manager"
	resolvedPath     = "/org/freedesktop/resolve1"
	resolvedNoLink   = resolvedName + ".NoSuchLink"
	resolvedPatience = 5 * time.Second

	addressFamilyIPv4 = 2
	addressFamilyIPv6 = 10
)

// resolved tells systemd-resolved, and tells it again when that was restarted:
// it forgets what it was told.
type resolved struct {
	log *slog.Logger

	mu   sync.Mutex
	conn *dbus.Conn
	set  map[int]setting
}

func (r *resolved) apply(changed setting, _ []setting) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.connect(); err != nil {
		return fmt.Errorf("connect to the system bus: %w", err)
	}
	if err := tell(r.conn, changed); err != nil {
		return err
	}
	if r.set[changed.Index] = changed; changed.empty() {
		delete(r.set, changed.Index)
	}
	return nil
}

func (r *resolved) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn == nil {
		return nil
	}
	conn := r.conn
	r.conn = nil
	return conn.Close()
}

// connect makes sure that there is a connection, with someone who listens for
// a new owner of the service's name.
func (r *resolved) connect() error {
	if r.conn != nil && r.conn.Connected() {
		return nil
	}
	// The context is the connection's: it ends one that does not come about.
	ctx, cancel := context.WithCancel(context.Background())
	late := time.AfterFunc(resolvedPatience, cancel)
	defer late.Stop()
	conn, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		cancel()
		return err
	}
	if err := conn.AddMatchSignalContext(ctx,
		dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"),
		dbus.WithMatchArg(0, resolvedName),
	); err != nil {
		cancel()
		return err
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	r.conn = conn
	go r.follow(conn, signals)
	return nil
}

// follow ends with the connection.
func (r *resolved) follow(conn *dbus.Conn, signals <-chan *dbus.Signal) {
	for s := range signals {
		if len(s.Body) != 3 || s.Body[0] != resolvedName || s.Body[2] == "" {
			continue
		}
		r.mu.Lock()
		if r.conn == conn {
			for _, set := range r.set {
				if err := tell(conn, set); err != nil {
					r.log.Warn("systemd-resolved was restarted and does not take the name servers", "adapter", set.Name, "error", err)
				}
			}
		}
		r.mu.Unlock()
	}
}

// server is the type (iay) of SetLinkDNS, domain the (sb) of SetLinkDomains.
type (
	server struct {
		Family  int32
		Address []byte
	}
	domain struct {
		Name      string
		RouteOnly bool
	}
)

func tell(conn *dbus.Conn, s setting) error {
	ctx, cancel := context.WithTimeout(context.Background(), resolvedPatience)
	defer cancel()
	call := func(method string, args ...any) error {
		err := conn.Object(resolvedName, resolvedPath).CallWithContext(ctx, resolvedManager+"."+method, 0, args...).Err
		if err != nil {
			return fmt.Errorf("systemd-resolved: %s: %w", method, err)
		}
		return nil
	}
	index := int32(s.Index)
	if s.empty() {
		err := call("RevertLink", index)
		if e := (dbus.Error{}); errors.As(err, &e) && e.Name == resolvedNoLink {
			return nil // it went, and its settings with it
		}
		return err
	}
	servers := make([]server, len(s.Servers))
	for i, a := range s.Servers {
		servers[i] = server{addressFamilyIPv6, a.AsSlice()}
		if a.Is4() {
			servers[i].Family = addressFamilyIPv4
		}
	}
	domains := make([]domain, len(s.Search))
	for i, d := range s.Search {
		domains[i] = domain{Name: d.String()}
	}
	return errors.Join(call("SetLinkDNS", index, servers), call("SetLinkDomains", index, domains))
}
