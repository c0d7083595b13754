//go:build linux

package cli

import (
	"time"

	"github.com/lessee/lessee"
)

// The words for the codes of a story, which docs/api.md lists. What a newer
// daemon says is shown as its code.

// other names the other side of a fact: a server, its hardware address, or both.
func (s speaker) other(f lessee.Fact) string {
	switch {
	case f.Server.IsValid() && f.MAC != "":
		return f.Server.String() + " (" + f.MAC + ")"
	case f.Server.IsValid():
		return f.Server.String()
	case f.MAC != "":
		return f.MAC
	}
	return s.Text("an unnamed server")
}

// verdictText explains a state in one sentence.
func (s speaker) verdictText(f lessee.Fact, adapter string, told time.Time) string {
	switch f.Code {
	case "absent":
		return s.Text("there is no adapter of this name")
	case "awaited":
		return s.Text("there is no adapter of this name yet; it is managed once it comes")
	case "unmanaged":
		return s.Text("nobody manages this adapter by DHCP")
	case "other-manager":
		return s.Sprintf("%s manages this adapter, not this daemon", s.manager(f.Detail))
	case "hindered":
		return s.Sprintf("this daemon cannot manage this adapter: %s", s.hindrance(f.Cause, adapter, f.Detail))
	case "taken-away":
		return s.hindrance(f.Cause, adapter, f.Detail)
	case "down":
		return s.Text("the adapter is down")
	case "no-link":
		if f.Time.IsZero() {
			return s.Text("no carrier")
		}
		return s.Sprintf("no carrier since %s", s.remaining(told.Sub(f.Time)))
	case "idle":
		if !f.Address.IsValid() || f.Time.IsZero() {
			return s.Text("released: nothing is sent until somebody renews")
		}
		return s.Sprintf("the lease of %s was given back %s ago; nothing is sent until somebody renews", f.Address, s.remaining(told.Sub(f.Time)))
	case "in-use":
		return s.Sprintf("the lease of %s from %s is in use", f.Address, s.other(f))
	case "renewing":
		return s.Sprintf("the lease of %s is in use, and %s is asked to extend it", f.Address, s.other(f))
	case "rebinding":
		return s.Sprintf("the lease of %s is in use, and any server is asked to extend it", f.Address)
	case "verifying":
		if f.Address.IsValid() {
			return s.Sprintf("the lease of %s is in use, and the servers are asked whether it holds here", f.Address)
		}
		return s.Text("the servers are asked whether the earlier lease holds here")
	case "asking":
		return s.Text("the servers are asked for a lease")
	case "no-answer":
		return s.Text("no DHCP server answers")
	case "unusable":
		return s.Sprintf("what DHCP servers answer cannot be used: %s", s.Rejection(f.Reason, f.Detail))
	case "unconfirmed":
		return s.Sprintf("%s offered %s and does not confirm it", s.other(f), f.Address)
	case "refused":
		return s.nak(f)
	case "in-conflict":
		if f.MAC == "" {
			return s.Sprintf("%s is used by another host", f.Address)
		}
		return s.Sprintf("%s is used by another host, %s", f.Address, f.MAC)
	case "ipv6-only":
		return s.Text("the network prefers to be used without IPv4")
	case "informing":
		return s.Text("the servers are asked for parameters; the address is the adapter's own")
	case "has-parameters":
		return s.Sprintf("the parameters are those of %s; the address is the adapter's own", s.other(f))
	case "pause":
		return s.Text("a pause before the search for a lease")
	case "without-server":
		return s.Sprintf("no DHCP server answers; %s is used without one", f.Address)
	}
	return f.Code
}

func (s speaker) nak(f lessee.Fact) string {
	if f.Detail == "" {
		return s.Sprintf("NAK from %s", s.other(f))
	}
	return s.Sprintf("NAK from %s: '%s'", s.other(f), f.Detail)
}

// factText says what happened.
func (s speaker) factText(f lessee.Fact, adapter string, told, now time.Time) string {
	text := s.onceText(f, adapter, told, now)
	switch f.Code {
	case "sent", "unanswered", "rejected":
		return text // they have their number
	}
	if f.Count > 1 {
		return s.Sprintf("%s, %d times since %s", text, f.Count, s.Clock(f.Since, now))
	}
	return text
}

func (s speaker) onceText(f lessee.Fact, adapter string, told, now time.Time) string {
	switch f.Code {
	case "managed":
		return s.Text("managed by this daemon")
	case "carrier":
		return s.Text("the link came up")
	case "no-carrier":
		return s.Text("the link went down")
	case "sent", "unanswered":
		return s.sentText(f, told, now)
	case "received":
		if f.Address.IsValid() {
			return s.Sprintf("%s of %s from %s", f.Message, f.Address, s.other(f))
		}
		return s.Sprintf("%s from %s", f.Message, s.other(f))
	case "nak":
		return s.nak(f)
	case "rejected":
		if f.Count > 1 {
			return s.Sprintf("%d packets not used since %s: %s", f.Count, s.Clock(f.Since, now), s.Rejection(f.Reason, f.Detail))
		}
		return s.Sprintf("packet not used: %s", s.Rejection(f.Reason, f.Detail))
	case "bound":
		return s.Sprintf("lease of %s from %s obtained", f.Address, s.other(f))
	case "resumed":
		return s.Sprintf("lease of %s resumed, from before the daemon's start", f.Address)
	case "renewed":
		return s.Sprintf("lease of %s renewed by %s", f.Address, s.other(f))
	case "released":
		return s.Sprintf("lease of %s given back to %s", f.Address, s.other(f))
	case "expired":
		return s.Sprintf("lease of %s ran out", f.Address)
	case "lost":
		return s.Sprintf("lease of %s taken away by its server", f.Address)
	case "conflict":
		if f.MAC == "" {
			return s.Sprintf("%s is used by another host", f.Address)
		}
		return s.Sprintf("%s is used by another host, %s", f.Address, f.MAC)
	case "problem":
		return s.hindrance(f.Cause, adapter, f.Detail)
	case "other-found":
		return f.Detail
	case "link-local":
		return s.Sprintf("%s taken without a server", f.Address)
	case "defended":
		return s.Sprintf("%s claimed %s and was told that it is ours", s.other(f), f.Address)
	case "recognised":
		return s.Sprintf("back in the network of the lease of %s: %s answered", f.Address, s.other(f))
	case "without-ipv4":
		return s.Text("the network prefers to be used without IPv4")
	case "informed":
		return s.Sprintf("parameters from %s", s.other(f))
	}
	return s.plainFact(f, adapter)
}

// plainFact says what happened by the name of the event and its arguments.
func (s speaker) plainFact(f lessee.Fact, adapter string) string {
	text := s.kind(lessee.EventKind(f.Code))
	if f.Address.IsValid() {
		text += " " + f.Address.String()
	}
	if f.Server.IsValid() || f.MAC != "" {
		text += " " + s.Sprintf("from %s", s.other(f))
	}
	if f.Detail != "" {
		text += ": " + s.hindrance(f.Cause, adapter, f.Detail)
	}
	return text
}

func (s speaker) sentText(f lessee.Fact, told, now time.Time) string {
	since := f.Since
	if f.Count <= 1 {
		since = f.Time
	}
	span := s.remaining(told.Sub(since))
	open := f.Code == "unanswered"
	switch to := f.Server; {
	case open && f.Count > 1 && to.IsValid():
		return s.Sprintf("%[1]d %[2]ss sent to %[3]s, no answer since %[4]s", f.Count, f.Message, to, span)
	case open && f.Count > 1:
		return s.Sprintf("%[1]d %[2]ss sent, no answer since %[3]s", f.Count, f.Message, span)
	case open && to.IsValid():
		return s.Sprintf("%[1]s sent to %[2]s, no answer since %[3]s", f.Message, to, span)
	case open:
		return s.Sprintf("%[1]s sent, no answer since %[2]s", f.Message, span)
	case f.Count > 1 && to.IsValid():
		return s.Sprintf("%[1]d %[2]ss sent to %[3]s since %[4]s", f.Count, f.Message, to, s.Clock(since, now))
	case f.Count > 1:
		return s.Sprintf("%[1]d %[2]ss sent since %[3]s", f.Count, f.Message, s.Clock(since, now))
	case to.IsValid():
		return s.Sprintf("%s sent to %s", f.Message, to)
	}
	return s.Sprintf("%s sent", f.Message)
}

// nextText says what comes next.
func (s speaker) nextText(f lessee.Fact, adapter string) string {
	switch f.Code {
	case "search":
		return s.Text("the search for a lease begins")
	case "verify":
		return s.Text("the servers are asked whether the lease holds here")
	case "retransmit":
		return s.Sprintf("%s is sent again", f.Message)
	case "renewal":
		return s.Text("the server is asked to extend the lease (T1)")
	case "rebind":
		return s.Text("any server is asked to extend the lease (T2)")
	case "expiry":
		return s.Text("the lease ends")
	case "timer":
		return s.Sprintf("the timer %s", f.Detail)
	case "await-carrier":
		return s.Text("nothing until the link comes up")
	case "await-renew":
		return s.Sprintf("nothing until 'lessee renew %s'", adapter)
	case "await-adapter":
		return s.Text("nothing until the adapter comes")
	case "nothing":
		return s.Text("nothing: the lease has no end")
	}
	return f.Code
}

// adviceText says what can be done.
func (s speaker) adviceText(f lessee.Fact, adapter string) string {
	switch f.Code {
	case "list":
		return s.Text("'lessee list' lists the adapters")
	case "up":
		return s.Sprintf("'lessee up %s' begins to manage it", adapter)
	case "stop-other":
		return s.Sprintf("do it there; or stop it there first, then 'lessee up %s'", adapter)
	case "set-up":
		return s.Sprintf("'ip link set %s up' sets it up", adapter)
	case "cable":
		return s.Text("check the cable, or what the adapter is connected to")
	case "renew":
		return s.Sprintf("'lessee renew %s' gets a lease", adapter)
	case "network":
		return s.Sprintf("is it the right network? 'lessee discover %[1]s' asks all its servers, 'lessee trace %[1]s' shows the packets", adapter)
	case "server-log":
		return s.Text("the server's log has the reason: often its pool, or an entry for this client")
	case "server-gone":
		return s.Sprintf("to change to another server now: 'lessee release %[1]s', then 'lessee renew %[1]s'", adapter)
	case "nak-source":
		return s.Sprintf("'lessee discover %s' shows whether servers disagree on this network", adapter)
	case "packets":
		return s.Sprintf("'lessee trace %s' shows what arrives", adapter)
	case "find-host":
		return s.Text("find the other host, or have the server leave this address out")
	case "solve":
		return s.hindrance(f.Cause, adapter, f.Detail)
	}
	return f.Code
}
