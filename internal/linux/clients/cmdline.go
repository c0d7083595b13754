//go:build linux

package clients

import (
	"slices"
	"strings"
)

// The options that take a value, from the manual pages dhclient(8), dhcpcd(8)
// and udhcpc(8). For the latter two they are single letters.
var (
	dhclientValues = []string{
		"-p", "-D", "-e", "-F", "-H", "-V", "-R", "-s", "-g", "-lf", "-pf", "-cf", "-df", "-sf", "-timeout",
		"--dad-wait-time", "--decline-wait-time", "--address-prefix-len",
	}
	dhcpcdValues = "cefhijlmorstuvyzCFIOQSWXZ"
	udhcpcValues = "FHOPTVAhiprstx"
)

// adapters returns the adapters that a command line names; none can mean all.
// ok is false if the client does DHCPv6 only.
func adapters(client string, args []string) (names []string, ok bool) {
	if len(args) == 0 {
		return nil, true
	}
	// dhcpcd rewrites its command line: "dhcpcd: eth0 [ip4]".
	if title, found := strings.CutPrefix(args[0], "dhcpcd: "); found {
		return dhcpcdTitle(title)
	}
	args = args[1:]
	switch client {
	case Dhclient:
		return dhclientArgs(args)
	case Dhcpcd:
		opts, names := getopt(args, dhcpcdValues)
		_, only6 := opts["6"]
		_, and4 := opts["4"]
		return names, !only6 || and4
	case Udhcpc:
		opts, _ := getopt(args, udhcpcValues)
		for _, o := range []string{"i", "interface"} {
			if name := opts[o]; name != "" {
				return []string{name}, true
			}
		}
		return []string{"eth0"}, true // its default
	}
	return nil, true
}

func dhcpcdTitle(title string) (names []string, ok bool) {
	v4, v6 := false, false
	for word := range strings.FieldsSeq(title) {
		switch {
		case word == "[ip4]":
			v4 = true
		case word == "[ip6]":
			v6 = true
		case !strings.HasPrefix(word, "[") && !strings.HasSuffix(word, "]"):
			names = append(names, word)
		}
	}
	return names, v4 || !v6
}

func dhclientArgs(args []string) (names []string, ok bool) {
	v4, v6 := false, false
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case slices.Contains(dhclientValues, a):
			i++
		case a == "-4":
			v4 = true
		case a == "-6":
			v6 = true
		case !strings.HasPrefix(a, "-") && a != "":
			names = append(names, a)
		}
	}
	return names, v4 || !v6
}

// getopt splits arguments as getopt_long(3) does: values has the letters of the
// options that take a value. A long option has one only behind "=" or, for
// "interface", as the next argument.
func getopt(args []string, values string) (opts map[string]string, rest []string) {
	opts = make(map[string]string)
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			return opts, append(rest, args[i+1:]...)
		case strings.HasPrefix(a, "--"):
			name, value, found := strings.Cut(a[2:], "=")
			if !found && name == "interface" && i+1 < len(args) {
				i++
				value = args[i]
			}
			opts[name] = value
		case len(a) > 1 && a[0] == '-':
			for j := 1; j < len(a); j++ {
				letter := a[j : j+1]
				if !strings.Contains(values, letter) {
					opts[letter] = ""
					continue
				}
				value := a[j+1:]
				if value == "" && i+1 < len(args) {
					i++
					value = args[i]
				}
				opts[letter] = value
				break
			}
		case a != "":
			rest = append(rest, a)
		}
	}
	return opts, rest
}
