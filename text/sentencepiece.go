package text

// fromSentencePiece writes a tokenizer.json for a SentencePiece model.
func (f *folder) fromSentencePiece(name string, data []byte) ([]byte, error) {
	return nil, &UnsupportedError{File: name, What: "SentencePiece models"}
}
