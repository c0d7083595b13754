//go:build linux

package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	base := guard{
		group: "netdev", uid: 900, overflowUID: 65534, overflowGID: 65534,
		lookupGroup: func(string) (*user.Group, error) { return &user.Group{Gid: "110"}, nil },
		groupsOf:    func(uid uint32) ([]uint32, error) { return map[uint32][]uint32{1001: {5, 110}}[uid], nil },
	}
	with := func(change func(*guard)) guard {
		g := base
		change(&g)
		return g
	}
	for _, tc := range []struct {
		name string
		g    guard
		c    *Caller
		ok   bool
		hint string
	}{
		{"root", base, &Caller{UID: 0, GID: 0}, true, ""},
		{"the daemon's own user", base, &Caller{UID: 900, GID: 900}, true, ""},
		{"a member by supplementary group", base, &Caller{UID: 1000, GID: 1000, Groups: []uint32{20, 110}}, true, ""},
		{"a member by primary group", base, &Caller{UID: 1000, GID: 110, Groups: []uint32{}}, true, ""},
		{"somebody", base, &Caller{UID: 1000, GID: 1000, Groups: []uint32{20}}, false, "usermod -aG netdev"},
		{"a member since the connection began", base, &Caller{UID: 1001, GID: 1001, Groups: []uint32{5}}, false, "log in again"},
		{"old kernel, a member", base, &Caller{UID: 1001, GID: 1001}, true, ""},
		{"old kernel, somebody", base, &Caller{UID: 1000, GID: 1000}, false, "netdev"},
		{"an unmapped user", base, &Caller{UID: 65534, GID: 65534, Groups: []uint32{65534}}, false, "netdev"},
		{"an unmapped user, daemon runs as nobody", with(func(g *guard) { g.uid = 65534 }), &Caller{UID: 65534, GID: 65534, Groups: []uint32{}}, false, "netdev"},
		{"no such group", with(func(g *guard) {
			g.lookupGroup = func(string) (*user.Group, error) { return nil, user.UnknownGroupError("netdev") }
		}), &Caller{UID: 1000, GID: 1000}, false, "groupadd --system netdev"},
		{"the group is the overflow group", with(func(g *guard) {
			g.lookupGroup = func(string) (*user.Group, error) { return &user.Group{Gid: "65534"}, nil }
		}), &Caller{UID: 1000, GID: 65534}, false, "unusable"},
		{"nobody knows who", base, nil, false, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := tc.g.check(tc.c)
			if tc.ok != (err == nil) {
				t.Fatalf("got %v, want ok: %t", err, tc.ok)
			}
			if err != nil && (lessee.Code(err) != errno.ERROR_ACCESS_DENIED || !strings.Contains(err.Error(), tc.hint)) {
				t.Errorf("got %v, want ERROR_ACCESS_DENIED with %q", err, tc.hint)
			}
		})
	}
}

func TestPeer(t *testing.T) {
	t.Parallel()
	l, err := Listen(socketPath(t))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("unix", l.path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	who := s.(*conn).caller
	if who.PID != int32(os.Getpid()) || who.UID != uint32(os.Getuid()) || who.GID != uint32(os.Getgid()) {
		t.Errorf("got %+v", who)
	}
	mine, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	var want []uint32
	for _, g := range mine {
		want = append(want, uint32(g))
	}
	slices.Sort(want)
	got := slices.Clone(who.Groups)
	slices.Sort(got)
	if who.UID == 0 {
		want = nil // root's do not matter
	}
	if (who.Groups == nil) != (who.UID == 0) || !slices.Equal(got, want) {
		t.Errorf("groups %v, want %v", who.Groups, want)
	}
}

// helperEnv makes the test binary a caller of the socket it names, for tests
// that need another user.
const helperEnv = "LESSEE_TEST_CALL"

// outcome is what the helper was answered; nil where it succeeded.
type outcome struct{ Read, Change *lessee.Error }

func helper(path string) int {
	c := lessee.New(lessee.WithSocket(path))
	_, err1 := c.Adapters(context.Background())
	err2 := c.Renew(context.Background(), "eth0")
	var out outcome
	if e, ok := errors.AsType[*lessee.Error](err1); ok {
		out.Read = e
	}
	if e, ok := errors.AsType[*lessee.Error](err2); ok {
		out.Change = e
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		return 1
	}
	return 0
}

// callAs lists and renews as another user.
func callAs(t *testing.T, socket string, cred syscall.Credential) outcome {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = []string{helperEnv + "=" + socket}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &cred}
	data, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var out outcome
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatalf("%q: %v", data, err)
	}
	return out
}

// TestUnreachableSocket: who may not even connect is told so, not that there is
// no daemon.
func TestUnreachableSocket(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can become other users")
	}
	c, _ := serve(t, newFake())
	if err := os.Chmod(filepath.Dir(c.Socket()), 0o700); err != nil {
		t.Fatal(err)
	}
	out := callAs(t, c.Socket(), syscall.Credential{Uid: 12345, Gid: 12345})
	for op, e := range map[string]*lessee.Error{"list": out.Read, "renew": out.Change} {
		if e == nil || e.Code != errno.ERROR_ACCESS_DENIED || e.Cause.Path != c.Socket() {
			t.Errorf("%s: %v", op, e)
		}
	}
}

func TestOtherUsers(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can become other users")
	}
	const netdev = 54321
	c, _ := serve(t, newFake(), func(s *Server) {
		s.guard.lookupGroup = func(string) (*user.Group, error) { return &user.Group{Gid: fmt.Sprint(netdev)}, nil }
	})
	var many []uint32
	for i := range uint32(200) {
		many = append(many, 60000+i)
	}
	for _, tc := range []struct {
		name string
		cred syscall.Credential
		ok   bool
	}{
		{"member", syscall.Credential{Uid: 12345, Gid: 12345, Groups: []uint32{7, netdev}}, true},
		{"member of very many groups", syscall.Credential{Uid: 12345, Gid: 12345, Groups: append(many, netdev)}, true},
		{"primary group", syscall.Credential{Uid: 12345, Gid: netdev}, true},
		{"somebody", syscall.Credential{Uid: 12345, Gid: 12345, Groups: []uint32{7}}, false},
		{"nobody", syscall.Credential{Uid: 65534, Gid: 65534}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			out := callAs(t, c.Socket(), tc.cred)
			if out.Read != nil {
				t.Errorf("reading: %v", out.Read)
			}
			switch {
			case tc.ok && out.Change != nil:
				t.Errorf("changing: %v", out.Change)
			case !tc.ok && (out.Change == nil || out.Change.Code != errno.ERROR_ACCESS_DENIED ||
				!strings.Contains(out.Change.Detail(), fmt.Sprintf("uid %d", tc.cred.Uid)) || !strings.Contains(out.Change.Hint(), "netdev")):
				t.Errorf("changing: %v", out.Change)
			}
		})
	}
}
