//go:build !windows

package system

import (
	"context"

	"github.com/lessee/lessee/errno"
)

// extras has nothing to add where package iphlpapi tells all there is.
func extras() (map[uint32]extra, error) { return nil, nil }

func sameName(a, b string) bool { return a == b }

func ipconfig(context.Context, string, string) (string, error) { return "", errno.ERROR_NOT_SUPPORTED }
