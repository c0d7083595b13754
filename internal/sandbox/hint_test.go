//go:build linux

package sandbox

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestHint(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		err    error
		root   bool
		sysctl map[string]string
		want   []string
	}{
		{"turned off", unix.ENOSPC, false, map[string]string{"user/max_user_namespaces": "0"}, []string{"user.max_user_namespaces=", "sudo"}},
		{"no network namespaces", unix.ENOSPC, true, map[string]string{"user/max_net_namespaces": "0"}, []string{"user.max_net_namespaces="}},
		{"Debian", unix.EPERM, false, map[string]string{"kernel/unprivileged_userns_clone": "0"}, []string{"kernel.unprivileged_userns_clone=1", "sudo"}},
		{"Ubuntu", unix.EACCES, false, map[string]string{"kernel/apparmor_restrict_unprivileged_userns": "1"}, []string{"AppArmor", "sudo"}},
		{"limit", unix.ENOSPC, false, map[string]string{"user/max_user_namespaces": "10"}, []string{"limit"}},
		{"kernel", unix.EINVAL, false, nil, []string{"CONFIG_USER_NS"}},
		{"container", unix.EPERM, true, nil, []string{"CAP_SYS_ADMIN"}},
		{"seccomp", unix.EPERM, false, nil, []string{"sudo lessee demo"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := hint(c.err, c.root, func(name string) string { return c.sysctl[name] })
			for _, w := range c.want {
				if !strings.Contains(got, w) {
					t.Errorf("got %q, want %q in it", got, w)
				}
			}
		})
	}
}
