//go:build linux

package host

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A guard keeps the name resolution of the machine from the daemons of other
// network namespaces.
type guard struct {
	// netns is the namespace whose leases are configured.
	netns fileID
	// init is the directory of process 1 below /proc.
	init string
}

// fileID tells files apart.
type fileID struct{ dev, ino uint64 }

func idOf(path string) (fileID, error) {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	return fileID{uint64(st.Dev), st.Ino}, err //nolint:unconvert // 32 bits wide on some systems
}

// home reports whether the namespace is that of process 1, and if not, why not.
// Where that cannot be found out, it is not.
func (g guard) home() (bool, string) {
	id, err := idOf(filepath.Join(g.init, "ns/net"))
	switch {
	case err != nil:
		return false, "the network namespace of process 1 cannot be seen"
	case id != g.netns:
		return false, "this is not the network namespace of process 1"
	}
	return true, ""
}

// private reports whether the file is another one than process 1's of that name.
func (g guard) private(path string) bool {
	ours, err := idOf(path)
	if err != nil {
		return false
	}
	theirs, err := idOf(filepath.Join(g.init, "root", path))
	return err == nil && ours != theirs
}
