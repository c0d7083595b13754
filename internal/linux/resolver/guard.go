//go:build linux

package resolver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lessee/lessee/internal/linux/netns"
)

// A guard keeps the name resolution of the machine from the daemons of other
// network namespaces.
type guard struct {
	// space is the namespace whose leases are configured.
	space netns.FileID
	// init is process 1's directory below /proc.
	init string
}

// newGuard is to be called in the network's namespace.
func newGuard(self, init string) (guard, error) {
	space, err := netns.IDOf(filepath.Join(self, spaceFile))
	return guard{space: space, init: init}, err
}

// spaceFile is another file in each network namespace. Unlike ns/net, process
// 1's can be looked at without CAP_SYS_PTRACE, which a service rarely has.
const spaceFile = "net/dev"

// home reports whether the namespace is that of process 1, and if not, why not.
// Where that cannot be found out, it is not.
func (g guard) home() (bool, string) {
	id, err := netns.IDOf(filepath.Join(g.init, spaceFile))
	switch {
	case err != nil:
		return false, "the network namespace of process 1 cannot be seen"
	case id != g.space:
		return false, "this is not the network namespace of process 1"
	}
	return true, ""
}

// private reports whether the file is another one than process 1's of that
// name. Where that may not be looked at, a file that is mounted on its name is
// taken for private: it was made so for this process's namespace.
func (g guard) private(path string) bool {
	if _, err := netns.IDOf(filepath.Join(g.init, "root") + "/"); err != nil {
		return errors.Is(err, fs.ErrPermission) && mounted(path)
	}
	ours, err := netns.IDOf(path)
	if err != nil {
		return false
	}
	theirs, err := netns.IDOf(filepath.Join(g.init, "root", path))
	return errors.Is(err, fs.ErrNotExist) || err == nil && ours != theirs
}

// mounted reports whether something is mounted on the path itself.
func mounted(path string) bool {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	// Blanks, tabs, line feeds and backslashes are written in octal.
	name := strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`).Replace(path)
	for line := range strings.Lines(string(table)) {
		// id, parent, device, root, mount point, ...
		if f := strings.Fields(line); len(f) > 4 && f[4] == name {
			return true
		}
	}
	return false
}
