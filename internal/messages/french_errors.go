package messages

var frenchErrors = dictionary{}
