//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// resolvConf is the file that a DHCP client would like to write.
const resolvConf = "/etc/resolv.conf"

// Enter prepares the file systems of a sandboxed process, before it does
// anything else: mounts are its own from here on, /run is empty and in memory,
// so no socket of a system service is in reach, and /etc/resolv.conf is a
// scratch file. It returns a directory for the process's files, which vanishes
// with the process.
func Enter() (dir string, err error) {
	if !Inside() {
		return "", errors.New("sandbox: this process is not in a sandbox")
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return "", denied("make the mounts private", err)
	}
	// Where the link leads has to be known before /run is covered.
	conf, confErr := filepath.EvalSymlinks(resolvConf)
	for _, d := range []string{"/run", "/var/run"} {
		if info, err := os.Lstat(d); err != nil || !info.IsDir() {
			continue
		}
		if err := mountTmpfs(d); err != nil {
			return "", err
		}
		if dir == "" {
			dir = filepath.Join(d, "sandbox")
		}
	}
	if dir == "" { // no /run: a minimal container
		if err := mountTmpfs(os.TempDir()); err != nil {
			return "", err
		}
		dir = filepath.Join(os.TempDir(), "sandbox")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("sandbox: %w", err)
	}
	return dir, coverResolvConf(dir, conf, confErr)
}

func mountTmpfs(dir string) error {
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,size=16m"); err != nil {
		return denied("mount a tmpfs on "+dir, err)
	}
	return nil
}

// coverResolvConf puts a scratch file where conf is, the file that
// /etc/resolv.conf leads to.
func coverResolvConf(dir, conf string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// There is nothing to put it on. Only root could create one.
		if err := unix.Mount("/etc", "/etc", "", unix.MS_BIND, ""); err != nil {
			return denied("cover /etc", err)
		}
		err := unix.Mount("", "/etc", "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
		if err != nil && unix.Access("/etc", unix.W_OK) == nil {
			return denied("make /etc read-only", err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("sandbox: %w", err)
	}
	scratch := filepath.Join(dir, "resolv.conf")
	if err := os.WriteFile(scratch, []byte("# scratch file of a sandbox\n"), 0o644); err != nil { //nolint:gosec // everybody may read it
		return fmt.Errorf("sandbox: %w", err)
	}
	if strings.HasPrefix(conf, "/run/") || strings.HasPrefix(conf, "/var/run/") {
		// It was in /run, which is covered: the link leads to a file of ours.
		if err := os.MkdirAll(filepath.Dir(conf), 0o755); err != nil { //nolint:gosec // as the system's
			return fmt.Errorf("sandbox: %w", err)
		}
		if err := os.Rename(scratch, conf); err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
		return nil
	}
	if err := unix.Mount(scratch, conf, "", unix.MS_BIND, ""); err != nil {
		return denied("cover "+resolvConf, err)
	}
	return nil
}
