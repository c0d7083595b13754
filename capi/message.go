//go:build linux && cgo

package main

// #include <stdlib.h>
import "C"

import (
	"golang.org/x/text/language"

	"github.com/lessee/lessee/internal/text"
)

// Why a message is not there, as FormatMessage says it on Windows.
const (
	errorMessageNotFound  = 317  // ERROR_MR_MID_NOT_FOUND
	errorLanguageNotFound = 1815 // ERROR_RESOURCE_LANG_NOT_FOUND
)

// Primary languages, the lower ten bits of a LANGID.
const (
	langNeutral   = 0x00
	langEnglish   = 0x09
	langFrench    = 0x0c
	langInvariant = 0x7f
)

// goMessage finds the text of a system error code, which the caller frees, or
// says why there is none.
//
//export goMessage
func goMessage(code uint32, langid uint16, message **C.char) (failure uint32) {
	defer func() {
		if recover() != nil {
			failure = errorMessageNotFound
		}
	}()
	var tag language.Tag
	switch langid & 0x3ff {
	case langNeutral:
		tag = text.Language(getenv)
	case langEnglish, langFrench, langInvariant:
		tag = text.ForLANGID(langid)
	default:
		return errorLanguageNotFound
	}
	s, ok := text.System(code, tag)
	if !ok {
		return errorMessageNotFound
	}
	*message = C.CString(s)
	return 0
}
