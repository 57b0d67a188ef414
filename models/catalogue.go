package models

// Catalogue returns the cards graft knows, text first. It is a fresh copy.
//
// Repositories, file names, licences and widths are those the hub's model
// cards and configurations state; preprocessing comes with the downloaded
// configuration files wherever the hub has them.
func Catalogue() []Card {
	return []Card{
		{Name: "minilm-l6", Repo: "sentence-transformers/all-MiniLM-L6-v2", Task: Text, License: "Apache-2.0", Dim: 384, MB: 91,
			Input: "uncased WordPiece, 256 tokens, mean pooling, L2-normalised", Note: "the usual first choice for English",
			Files: sentenceEncoder()},
		{Name: "mpnet-base", Repo: "sentence-transformers/all-mpnet-base-v2", Task: Text, License: "Apache-2.0", Dim: 768, MB: 436,
			Input: "uncased WordPiece, 384 tokens, mean pooling, L2-normalised",
			Files: sentenceEncoder()},
		{Name: "bge-small-en", Repo: "BAAI/bge-small-en-v1.5", Task: Text, License: "MIT", Dim: 384, MB: 133,
			Input: "uncased WordPiece, 512 tokens, CLS, L2-normalised",
			Files: sentenceEncoder()},
		{Name: "bge-base-en", Repo: "BAAI/bge-base-en-v1.5", Task: Text, License: "MIT", Dim: 768, MB: 436,
			Input: "uncased WordPiece, 512 tokens, CLS, L2-normalised",
			Files: sentenceEncoder()},
		{Name: "e5-small", Repo: "intfloat/e5-small-v2", Task: Text, License: "MIT", Dim: 384, MB: 134,
			Input: "uncased WordPiece, 512 tokens, mean pooling, L2-normalised", Note: `made for texts that start with "query: "; for classification prefix every text alike`,
			Files: sentenceEncoder()},
		{Name: "bert-base", Repo: "Xenova/bert-base-uncased", Task: Text, License: "Apache-2.0", Dim: 768, MB: 438,
			Input: "uncased WordPiece, 512 tokens", Note: "a masked language model: weaker frozen than a sentence encoder, made to be tuned",
			Files: languageModel("onnx/model.onnx")},
		{Name: "distilbert", Repo: "Xenova/distilbert-base-uncased", Task: Text, License: "Apache-2.0", Dim: 768, MB: 267,
			Input: "uncased WordPiece, 512 tokens", Note: "a masked language model: weaker frozen than a sentence encoder, made to be tuned",
			Files: languageModel("onnx/model.onnx")},
		{Name: "roberta-base", Repo: "Xenova/roberta-base", Task: Text, License: "MIT", Dim: 768, MB: 499,
			Input: "byte-level BPE, 512 tokens", Note: "a masked language model: weaker frozen than a sentence encoder, made to be tuned",
			Files: languageModel("onnx/model.onnx")},
		{Name: "gpt2", Repo: "openai-community/gpt2", Task: Text, License: "MIT", Dim: 768, MB: 654,
			Input: "byte-level BPE, 1024 tokens, last token", Note: "causal: use --pooling last",
			Files: languageModel("onnx/decoder_model.onnx")},

		{Name: "resnet18", Repo: "Xenova/resnet-18", Task: Image, License: "Apache-2.0", Dim: 512, MB: 47,
			Input: "224×224, ImageNet mean and std", Files: imageModel()},
		{Name: "resnet50", Repo: "Xenova/resnet-50", Task: Image, License: "Apache-2.0", Dim: 2048, MB: 102,
			Input: "224×224, ImageNet mean and std", Files: imageModel()},
		{Name: "mobilenetv2", Repo: "onnx-community/mobilenet_v2_1.0_224", Task: Image, License: "other", Dim: 1280, MB: 14,
			Input: "224×224, mean and std 0.5", Note: "small and fast", Files: imageModel()},
		{Name: "efficientnet-b0", Repo: "onnxmodelzoo/efficientnet_b0_Opset17", Task: Image, License: "Apache-2.0", Dim: 1280, MB: 21,
			Input: "224×224, ImageNet mean and std", Files: bare("efficientnet_b0_Opset17.onnx"), Written: imageNetDefaults()},
		{Name: "vit-base", Repo: "Xenova/vit-base-patch16-224", Task: Image, License: "Apache-2.0", Dim: 768, MB: 346,
			Input: "224×224, mean and std 0.5", Files: imageModel()},
		{Name: "dinov2-small", Repo: "onnx-community/dinov2-small", Task: Image, License: "Apache-2.0", Dim: 384, MB: 88,
			Input: "224×224, ImageNet mean and std", Note: "self-supervised; strong frozen features", Files: imageModel()},
		{Name: "convnext-tiny", Repo: "Xenova/convnext-tiny-224", Task: Image, License: "Apache-2.0", Dim: 768, MB: 114,
			Input: "224×224, ImageNet mean and std", Files: imageModel()},
		{Name: "vgg16", Repo: "onnxmodelzoo/vgg16-12", Task: Image, License: "Apache-2.0", Dim: 4096, MB: 553,
			Input: "224×224, ImageNet mean and std", Files: bare("vgg16-12.onnx"), Written: imageNetDefaults()},
		{Name: "squeezenet", Repo: "onnxmodelzoo/squeezenet1.1-7", Task: Image, License: "Apache-2.0", Dim: 512, MB: 5,
			Input: "224×224, ImageNet mean and std", Note: "the smallest", Files: bare("squeezenet1.1-7.onnx"), Written: imageNetDefaults()},
	}
}

// sentenceEncoder lists the files of a sentence-transformers folder.
func sentenceEncoder() []File {
	return append(languageModel("onnx/model.onnx"),
		File{Path: "modules.json"},
		File{Path: "1_Pooling/config.json"},
		File{Path: "sentence_bert_config.json", Optional: true},
		File{Path: "config_sentence_transformers.json", Optional: true},
	)
}

// languageModel lists the files of a transformers text folder.
func languageModel(model string) []File {
	return []File{
		{Path: "config.json"},
		{Path: "tokenizer.json"},
		{Path: "tokenizer_config.json", Optional: true},
		{Path: "special_tokens_map.json", Optional: true},
		{Path: "vocab.txt", Optional: true},
		{Path: model, As: "onnx/model.onnx"},
	}
}

// imageModel lists the files of a transformers image folder.
func imageModel() []File {
	return []File{
		{Path: "config.json"},
		{Path: "preprocessor_config.json"},
		{Path: "onnx/model.onnx"},
	}
}

// bare lists the one file of a repository that holds a graph and nothing else.
func bare(model string) []File {
	return []File{{Path: model, As: "model.onnx"}}
}

// imageNetDefaults is the preprocessing of most ImageNet networks: shorter
// side to 256, centre crop of 224, ImageNet's mean and standard deviation.
func imageNetDefaults() map[string]string {
	return map[string]string{"preprocessor_config.json": `{
  "do_resize": true,
  "size": {"shortest_edge": 256},
  "resample": 2,
  "do_center_crop": true,
  "crop_size": {"height": 224, "width": 224},
  "do_rescale": true,
  "rescale_factor": 0.00392156862745098,
  "do_normalize": true,
  "image_mean": [0.485, 0.456, 0.406],
  "image_std": [0.229, 0.224, 0.225]
}
`}
}
