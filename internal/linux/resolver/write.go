//go:build linux

package resolver

import (
	"io/fs"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// writeFile replaces a file atomically: readers see the old text or the new.
func writeFile(path string, text []byte, mode fs.FileMode) error {
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(mode))
	if err != nil {
		return err
	}
	defer f.Cleanup() //nolint:errcheck // after a success there is nothing to clean up
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}
