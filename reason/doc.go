// Package reason names why something failed, or does not work as it should.
//
// A [Cause] is a [Reason] and its fields. It has no words: the face that shows
// it has them, in the language of its reader. Programs decide by the reason and
// read the fields; the name of a reason never changes and never gets another
// meaning, and new ones may be added.
package reason
