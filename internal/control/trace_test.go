//go:build linux

package control

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
)

// What the engine captured comes to the client as it was, and the end does, too.
func TestTrace(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.frames = make(chan lessee.Frame, 4)
	c, _ := serve(t, f)
	trace, err := c.Trace(t.Context(), "eth0", true)
	if err != nil {
		t.Fatal(err)
	}
	want := []lessee.Frame{
		{Time: born.Add(123456789), Outgoing: true, Length: 4, Data: []byte{0xff, 0, 1, 2}},
		{Time: born.Add(time.Second), Length: 1500, Data: []byte{1}, Lost: 17},
	}
	for _, fr := range want {
		f.frames <- fr
	}
	for i, w := range want {
		got, err := trace.Next()
		if err != nil || !got.Time.Equal(w.Time) || got.Outgoing != w.Outgoing || got.Length != w.Length || got.Lost != w.Lost || !bytes.Equal(got.Data, w.Data) {
			t.Errorf("frame %d: %+v, %v", i, got, err)
		}
	}
	close(f.frames)
	for range 2 {
		if _, err := trace.Next(); !errors.Is(err, errno.ERROR_FILE_NOT_FOUND) {
			t.Errorf("after the adapter went: %v", err)
		}
	}
	<-f.gone
}

func TestTraceEndsWithItsReader(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.frames = make(chan lessee.Frame)
	c, _ := serve(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	trace, err := c.Trace(ctx, "eth0", false)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-f.gone // the engine is told
	if _, err := trace.Next(); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for _, err := range trace.All() {
		if !errors.Is(err, errno.ERROR_CANCELLED) {
			t.Errorf("%v", err)
		}
	}
}

// A discovery takes as long as it is told to; the default patience of other
// calls does not end it.
func TestDiscover(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, newFake())
	for _, tc := range []struct{ ask, want time.Duration }{{0, lessee.DefaultDiscovery}, {90 * time.Second, 90 * time.Second}} {
		d, err := c.Discover(t.Context(), "eth0", tc.ask)
		if err != nil {
			t.Fatal(err)
		}
		if time.Duration(d.During) != tc.want || len(d.Offers) != 2 || d.Offers[0].After != lessee.Duration(1500*time.Microsecond) || !d.Offers[1].Infinite {
			t.Errorf("%+v", d)
		}
	}
	d, err := c.Discover(t.Context(), "uplink", 0)
	if err != nil || d.Offers == nil || len(d.Offers) > 0 {
		t.Errorf("without an offer: %+v, %v", d, err)
	}
}

func TestWhy(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, newFake())
	s, err := c.Why(t.Context(), "uplink")
	if err != nil || s.Verdict.Code != "refused" || s.Verdict.Detail != "wrong network" || s.Facts[0].Count != 4 || s.Next[0].Message != "DISCOVER" {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err = c.Why(t.Context(), "eth9"); err != nil || s.Verdict.Code != "absent" {
		t.Errorf("%+v, %v", s, err)
	}
}
