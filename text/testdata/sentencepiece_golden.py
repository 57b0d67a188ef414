#!/usr/bin/env python3
"""Writes sentencepiece/: two small SentencePiece models and the ids that SentencePiece itself gives the cases.

    pip install sentencepiece==0.2.2 tokenizers==0.23.2   # the latter only because golden.py, which has the texts, wants it
    python3 sentencepiece_golden.py
"""
import json
import tempfile
from pathlib import Path

import sentencepiece as sp

from golden import CASES, SENTENCES

HERE = Path(__file__).parent / 'sentencepiece'

# Normalization rules of our own: code points to code points, so that the file has a small precompiled_charsmap.
RULES = {'\u2126': '\u03a9', '\u212b': 'Å', 'ﬁ': 'fi', 'ﬂ': 'fl', 'e\u0301': 'é', '…': '...', '\u00a0': ' ', '\u3000': ' ', '\t': ' ', '\u200b': ''}


def train(name, **args):
    with tempfile.TemporaryDirectory() as tmp:
        corpus = Path(tmp, 'corpus.txt')
        corpus.write_text('\n'.join(SENTENCES), encoding='utf-8')
        rules = Path(tmp, 'rules.tsv')
        hexes = lambda s: ' '.join('%X' % ord(c) for c in s)
        rules.write_text(''.join('%s\t%s\n' % (hexes(a), hexes(b)) for a, b in RULES.items()), encoding='utf-8')
        if args.pop('rules', False):
            args['normalization_rule_tsv'] = str(rules)
        sp.SentencePieceTrainer.train(input=str(corpus), model_prefix=str(Path(tmp, 'm')), minloglevel=2, num_threads=1, **args)
        data = Path(tmp, 'm.model').read_bytes()
    (HERE / (name + '.model')).write_bytes(data)
    model = sp.SentencePieceProcessor(model_proto=data)
    with open(HERE / (name + '.jsonl'), 'w', encoding='utf-8') as f:
        for i, text in enumerate(CASES):
            if '\0' in text:
                continue
            ids = model.encode(text)
            f.write(json.dumps({'a': i, 'ids': ids, 'decoded': model.decode(ids)}, ensure_ascii=False, separators=(',', ':')) + '\n')


HERE.mkdir(exist_ok=True)
train('unigram', model_type='unigram', vocab_size=420, character_coverage=0.98, rules=True, user_defined_symbols='<mask>')
train('bpe', model_type='bpe', vocab_size=800, character_coverage=0.98, byte_fallback=True, normalization_rule_name='identity',
      remove_extra_whitespaces=False, split_digits=True)
