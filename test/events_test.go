package test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
)

// TestSlowReader checks that a subscriber that does not read hinders nobody,
// and is told what it missed when it does.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, _ := h.bound(t)
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: d.Socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /v1/events HTTP/1.1\r\nHost: lessee\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// The answer's head says that the subscription stands.
	head := make([]byte, 12)
	if _, err := io.ReadFull(conn, head); err != nil || string(head) != "HTTP/1.1 200" {
		t.Fatalf("%q %v", head, err)
	}
	const renewals = 400
	slowest := time.Duration(0)
	for range renewals {
		began := time.Now()
		if err := d.Client.Renew(context.Background(), "c0"); err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(began))
	}
	if slowest > 2*time.Second {
		t.Errorf("a renewal took %v", slowest)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	// That events are missing is told with the next one for which there is room.
	ctx, cancel := context.WithCancel(context.Background())
	var more sync.WaitGroup
	more.Go(func() {
		for ctx.Err() == nil {
			_ = d.Client.Renew(ctx, "c0")
		}
	})
	defer more.Wait()
	defer cancel()
	in := bufio.NewScanner(conn)
	var missed, seen uint64
	for in.Scan() && missed == 0 {
		line := in.Text()
		var e lessee.Event
		if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil {
			continue // head and chunk sizes
		}
		seen++
		if e.Kind == lessee.EventLost {
			missed = e.Count
		}
	}
	// Who does not read for long is cut off, who reads again sooner is told
	// how many events are missing.
	if missed == 0 && in.Err() != nil {
		t.Errorf("%d events read, none said that some are missing, not cut off either: %v", seen, in.Err())
	}
	// Those who did read missed nothing.
	got := func() int {
		return len(d.Events.Select(0, func(e lessee.Event) bool { return e.Kind == lessee.EventRenewed }))
	}
	if !lab.Eventually(patience, func() bool { return got() >= renewals }) {
		t.Errorf("the other subscriber saw %d of %d renewals", got(), renewals)
	}
}

// TestDeadReaders checks that subscribers that went away are forgotten.
func TestDeadReaders(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, _ := h.bound(t)
	before, err := d.Usage()
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		s, err := d.Client.Watch(context.Background(), "c0")
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
	}
	d.Must(t, "renew", "c0")
	var now lab.Usage
	if !lab.Eventually(patience, func() bool {
		now, err = d.Usage()
		return err == nil && now.Descriptors <= before.Descriptors+2
	}) {
		t.Errorf("descriptors: %d before, %d after 50 subscribers: %v", before.Descriptors, now.Descriptors, err)
	}
}

// TestPain_systemd15722_EveryTransitionIsAnEvent follows one lease's life (systemd#15722: no
// event on renewal), by the command line.
func TestPain_systemd15722_EveryTransitionIsAnEvent(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d := h.client.ReadyDaemon(t, lab.Options{})
	cmd := h.client.Command(t, lab.Binary(t), "watch", "-o", "json")
	cmd.Env = append(cmd.Environ(), lessee.SocketEnv+"="+d.Socket)
	watch := h.client.StartCmd(t, cmd)
	// The command prints nothing before the first event: an event in a loop
	// until the first one shows that it listens.
	if !lab.Eventually(patience, func() bool {
		d.Must(t, "up", "c0")
		d.Must(t, "down", "c0")
		return watch.Lines.Mark() > 0
	}) {
		t.Fatal("watch prints nothing")
	}
	mark := watch.Lines.Mark()
	d.Must(t, "up", "c0")
	d.Must(t, "renew", "c0")
	d.Must(t, "release", "c0")
	d.Must(t, "renew", "c0")
	d.Must(t, "down", "c0")
	for _, kind := range []string{"managed", "bound", "renewed", "released", "bound", "released", "unmanaged"} {
		_, mark = watch.AwaitLineFrom(t, mark, patience, `"kind":"`+kind+`"`)
	}
	for _, line := range watch.Lines.Since(0) {
		var e lessee.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Kind == "" || e.Time.IsZero() {
			t.Errorf("not an event: %q %v", line, err)
		}
	}
}
