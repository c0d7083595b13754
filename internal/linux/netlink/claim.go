//go:build linux

package netlink

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// defaultClaimsDir is where all daemons of the machine meet, whatever their
// sockets and state directories are.
const defaultClaimsDir = "/run/lessee"

// claims says which interfaces of a network namespace are ours: one file for
// the namespace, one locked byte for each interface. The locks are those of
// fcntl(2), "open file description locks": they go with the process.
type claims struct {
	mu   sync.Mutex
	file *os.File
}

// Claim implements loop.Kernel. Where there is no place for the file, as in
// a container without /run, nobody is kept out.
func (n *Kernel) Claim(link netconf.Link) error {
	c := &n.claims
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file == nil {
		dir := cmp.Or(n.opt.ClaimsDir, defaultClaimsDir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil // see above
		}
		path := filepath.Join(dir, fmt.Sprintf("adapters.%d", n.space.Inode()))
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil // see above
		}
		c.file = f
	}
	err := c.lock(unix.F_WRLCK, link.Index)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return syserr.Wrap(link.Name, "claim the adapter", netconf.ErrClaimed)
	}
	return nil
}

// Unclaim implements loop.Kernel.
func (n *Kernel) Unclaim(link netconf.Link) {
	c := &n.claims
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file != nil {
		_ = c.lock(unix.F_UNLCK, link.Index)
	}
}

func (c *claims) lock(typ int16, index int) error {
	return unix.FcntlFlock(c.file.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: typ, Start: int64(index), Len: 1})
}

func (c *claims) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file != nil {
		_ = c.file.Close()
		c.file = nil
	}
}
