//go:build linux

package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/reason"
)

// A Caller is the process at the other end of a connection, as it was when it
// connected: what it or its process number becomes later changes nothing.
type Caller struct {
	PID      int32
	UID, GID uint32
	// Groups are the supplementary groups; nil if the kernel could not tell, or was
	// not asked, as for root.
	Groups []uint32
}

// String returns "alice (uid 1000), pid 4711".
func (c *Caller) String() string {
	if c == nil {
		return "unknown"
	}
	return fmt.Sprintf("%s, pid %d", c.user(), c.PID)
}

// LogValue is the caller's line in the log.
func (c *Caller) LogValue() slog.Value { return slog.StringValue(c.String()) }

func (c *Caller) user() string {
	if c.UID == 0 { // no need to look that up
		return "root (uid 0)"
	}
	uid := strconv.FormatUint(uint64(c.UID), 10)
	if u, err := user.LookupId(uid); err == nil {
		return fmt.Sprintf("%s (uid %s)", u.Username, uid)
	}
	return "uid " + uid
}

type callerKey struct{}

// withCaller is the ConnContext of the server.
func withCaller(ctx context.Context, c net.Conn) context.Context {
	if c, ok := c.(*conn); ok {
		return context.WithValue(ctx, callerKey{}, c.caller)
	}
	return ctx
}

// callerOf returns who sent the request of ctx; nil if that is not known.
func callerOf(ctx context.Context) *Caller {
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
}

// peer asks the kernel who is at the other end.
func peer(c *net.UnixConn) (*Caller, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	var who *Caller
	var inner error
	err = raw.Control(func(fd uintptr) {
		var cred *unix.Ucred
		if cred, inner = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); inner != nil {
			inner = os.NewSyscallError("getsockopt SO_PEERCRED", inner)
			return
		}
		who = &Caller{PID: cred.Pid, UID: cred.Uid, GID: cred.Gid}
		if who.UID != 0 { // who may do everything anyway
			who.Groups, inner = peerGroups(int(fd))
		}
	})
	if err = errors.Join(err, inner); err != nil {
		return nil, err
	}
	return who, nil
}

// peerGroups reads SO_PEERGROUPS. A kernel before 4.13 does not have it.
func peerGroups(fd int) ([]uint32, error) {
	groups := make([]uint32, 32)
	for range 3 { // it grows once; a socket's groups never change
		size := uint32(len(groups)) * 4
		_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&groups[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch e {
		case 0:
			return groups[:size/4], nil
		case unix.ERANGE:
			groups = make([]uint32, size/4+1)
		case unix.ENOPROTOOPT:
			return nil, nil
		default:
			return nil, os.NewSyscallError("getsockopt SO_PEERGROUPS", e)
		}
	}
	return nil, os.NewSyscallError("getsockopt SO_PEERGROUPS", unix.ERANGE)
}

// A guard decides who may change something.
type guard struct {
	group string
	uid   uint32 // the daemon's own
	// overflow are the user and group that the kernel shows in place of
	// those that do not exist in the daemon's user namespace: anybody.
	overflowUID, overflowGID uint32

	lookupGroup func(name string) (*user.Group, error)
	groupsOf    func(uid uint32) ([]uint32, error)
}

func newGuard(group string) guard {
	if group == "" {
		group = "netdev"
	}
	return guard{
		group: group, uid: uint32(os.Geteuid()),
		overflowUID: kernelNumber("/proc/sys/kernel/overflowuid"),
		overflowGID: kernelNumber("/proc/sys/kernel/overflowgid"),
		lookupGroup: user.LookupGroup, groupsOf: groupsOf,
	}
}

func kernelNumber(path string) uint32 {
	data, err := os.ReadFile(path)
	if err == nil {
		if n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 32); err == nil {
			return uint32(n)
		}
	}
	return 65534 // the kernel's default
}

// groupsOf looks up the groups that a user is a member of now.
func groupsOf(uid uint32) ([]uint32, error) {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return nil, err
	}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, err
	}
	groups := make([]uint32, 0, len(ids))
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			groups = append(groups, uint32(n))
		}
	}
	return groups, nil
}

// check returns nil if the caller may change something.
func (g guard) check(c *Caller) error {
	if c == nil {
		return &lessee.Error{Code: errno.ERROR_ACCESS_DENIED, Cause: reason.Cause{Reason: reason.UnknownCaller}}
	}
	if c.UID == 0 || c.UID == g.uid && c.UID != g.overflowUID {
		return nil
	}
	denied := &lessee.Error{Code: errno.ERROR_ACCESS_DENIED, Cause: reason.Cause{Reason: reason.NotInGroup, User: c.user(), Group: g.group}}
	group, err := g.lookupGroup(g.group)
	if err != nil {
		denied.Err, denied.Cause.Reason = err, reason.NoSuchGroup
		return denied
	}
	gid, err := strconv.ParseUint(group.Gid, 10, 32)
	if err != nil || uint32(gid) == g.overflowGID {
		denied.Err, denied.Cause.Reason, denied.Cause.Value = err, reason.GroupUnusable, group.Gid
		return denied
	}
	groups := c.Groups
	if groups == nil && c.UID != g.overflowUID {
		groups, _ = g.groupsOf(c.UID) // not found: a member of none
	}
	if c.GID == uint32(gid) || slices.Contains(groups, uint32(gid)) {
		return nil
	}
	return denied
}
