package messages

var frenchHelp = dictionary{}
