// Package text turns texts into what text models take, and text models into backbones.
//
// A [Tokenizer] gives the ids that Hugging Face's tokenizers library gives, from the files that models are published
// with: tokenizer.json, vocab.txt, vocab.json with merges.txt, SentencePiece models. Its stages are the same: a normalizer
// changes the text, a pre-tokenizer cuts it into words, a model turns words into tokens, a post-processor adds special
// tokens, a decoder goes back. It never panics on a file and never lets one decide how much memory is taken.
//
// A [Backbone] is a folder of a model and its tokenizer made into a graph with one N×D output: tokens are pooled inside the
// graph, as the folder's modules.json says. It knows nothing of training. A [Preprocessor] is the half of it that needs no
// model: texts in, tensors out.
package text
