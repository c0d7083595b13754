package dna

import "github.com/lessee/lessee/boottime"

// A learn is the question for a router's link address.
type learn struct {
	Learn
	sent int
	next boottime.Instant
}

// startLearning begins to ask. However often it is called, there is one
// question a second.
func (p *Prober) startLearning(now boottime.Instant, in Learn) {
	in.Address, in.Router = in.Address.Unmap(), in.Router.Unmap()
	if p.learn = nil; !canHold(in.Address) || !canHold(in.Router) || in.Address == in.Router {
		return
	}
	p.learn = &learn{Learn: in, next: max(now, p.hush)}
	if !now.Before(p.learn.next) {
		p.stepLearning(now)
	}
}

// stepLearning asks, again or for the first time, or gives up.
func (p *Prober) stepLearning(now boottime.Instant) {
	l := p.learn
	if l.sent == learnTries {
		p.learn = nil
		return
	}
	p.ask(l.Address, l.Router, nil)
	l.sent++
	l.next = now.Add(learnWait)
	p.hush = l.next
}
