//go:build linux

package resolver

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// resolvconf runs the program of that name for each change: no shell, the
// adapter as an argument, the settings on its standard input.
type resolvconf struct{}

const resolvconfPatience = 10 * time.Second

func (resolvconf) apply(changed setting, _ []setting) error {
	// The kernel allows no blanks, slashes or colons in names; a "-" at the
	// beginning would be an option.
	key := changed.Name + ".lessee"
	if strings.HasPrefix(key, "-") {
		return fmt.Errorf("resolvconf does not take %q as the name of an interface", changed.Name)
	}
	args := []string{"-a", key}
	if changed.empty() {
		args[0] = "-d"
	}
	ctx, cancel := context.WithTimeout(context.Background(), resolvconfPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "resolvconf", args...)
	cmd.Stdin = strings.NewReader(settingLines([]setting{changed}, len(changed.Servers)))
	// Without a bound, a grandchild that keeps the output open would hold us.
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, firstLine(string(out)))
	}
	return nil
}

func (resolvconf) close() error { return nil }

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
