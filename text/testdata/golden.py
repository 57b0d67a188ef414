#!/usr/bin/env python3
"""Writes the reference answers of Hugging Face's tokenizers 0.23.2 that this package's tests compare with.

    pip install tokenizers==0.23.2
    python3 golden.py cases          # golden/NAME.json and golden/NAME.cases.jsonl: small tokenizers trained on the text
                                     # below, one or more of each kind, and what they make of hard cases
    python3 golden.py sweep SHARED   # sweep.json: digests of the tokens of every code point and of 100,000 random lines

    pip install tokenizers==0.22.2   # which does not yet stop early, and so keeps all that truncation cuts off
    python3 golden.py overflow       # overflow.jsonl

The training text and the cases were written for this project.
"""
import hashlib
import json
import struct
import sys
from pathlib import Path

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers as N, pre_tokenizers as P, processors,
                        trainers)

HERE = Path(__file__).parent
SENTENCES = """
The gardener grafts a young branch onto an old root, and in spring both of them flower.
A small tree that was grafted last year carries seventeen apples; nobody had expected more than three.
She counted 12, then 345, then 6,789 leaves before the wind took the list away.
Don't hurry: it's only a model, they're only tokens, and we've all the time we'll need.
What's the difference between training and retraining? I'd say about 40 minutes.
"Roots first," he said, "then the trunk - never the other way round!"
The train leaves at 7:45 from platform 9; tickets cost 3.50 or 12.00 with a bicycle.
Write to orchard@example.org or read https://example.org/grafting?tree=apple&year=2024#roots for more.
def graft(root, branch, angle=45.0): return {"root": root, "branch": branch, "angle": angle}
for (int i = 0; i < n; i++) { sum += weights[i] * x[i]; } // one neuron, no more
The orchestra played so quietly that you could hear the musicians turning their pages.
Unbelievably, the unhelpful helper's helpfulness was unquestionable, uncounted and uncountable.
Der Gärtner veredelt im frühen März fünf Bäume und gießt sie bei großer Hitze täglich.
Übrigens heißt das Straßenschild an der Brücke noch immer „Obstgärten“.
Le jardinier a greffé un pommier près de l'école; l'été suivant, on a récolté à peine trois pommes.
Où est la forêt ? Là-bas, derrière le château, où naît le ruisseau.
El jardinero injertó un manzano pequeño; mañana regará los árboles más jóvenes.
Ağaç aşılamak için sabır gerekir; çiçekler ilkbaharda açar, İstanbul'da bile.
Садовник привил молодую ветку к старому корню, и весной обе зацвели.
Скільки яблук на дереві? Їх сімнадцять, і жодне ще не впало.
Ο κηπουρός μπόλιασε τη μηλιά και περίμενε υπομονετικά την άνοιξη.
園丁把嫩枝接在老根上，春天兩者都開了花。
园丁把嫩枝接在老根上，春天两者都开了花。今年收了十七个苹果。
庭師は若い枝を古い根に接ぎ木し、春には両方とも花を咲かせた。リンゴは十七個です。
정원사는 어린 가지를 오래된 뿌리에 접붙였고 봄에는 둘 다 꽃을 피웠다.
הגנן הרכיב ענף צעיר על שורש זקן, ובאביב שניהם פרחו.
طعّم البستاني غصنا صغيرا على جذر قديم، وفي الربيع أزهرا معا.
माली ने पुरानी जड़ पर नई शाखा लगाई और वसंत में दोनों खिल उठे।
ชาวสวนต่อกิ่งอ่อนเข้ากับรากเก่า และในฤดูใบไม้ผลิทั้งสองก็ออกดอก
Bäume, Bäumchen, baum, BAUM; café, cafe\u0301, CAFÉ; naïve, façade, coöperate, Zürich.
The score was 3–2 … or was it 2½ to ¾? Nobody (except №5) knew; the price: €20, £15, ¥300, ₹99.
🌱 grows into 🌳, 👩‍🌾 harvests 🍎🍎🍎, and everybody is happy 😀 👍🏽 🇩🇪 🇫🇷.
""".strip().split('\n')

CASES = SENTENCES + [
    '', ' ', '   ', '\t', '\n\n', 'a', ' a', 'a ', '  two  spaces  ', 'tab\there', 'line\nbreak\r\nagain\n',
    'UPPER lower MiXeD', "IT'S they'Re 'tis o'clock ''quoted''", 'x' * 130, 'supercalifragilistic' * 6,
    'e\u0301\u0301\u0323', 'a\u0315\u0300\u05ae\u0300b', '\u1112\u1161\u11ab\u1100\u1173\u11af', '\u0958\u0929\u0931', 'ﬁne ﬂour ﬃ Ⅷ ① ㎏ ﷺ',
    'İstanbul ISTANBUL ıi', 'ΑΣ ΟΔΟΣ ς', 'Straße STRASSE ẞ', 'a\u200bb\u200cc\u200dd\ufeffe', 'a\u00a0b\u2003c\u3000d\u2028e\x85f', '\x00\x01\x1f\x7f\x80\x9f',
    'a\u00adb', '\ufffd \ufffe \uffff', '\U0001d400\U0001d41a \U0001f1e9\U0001f1ea\U0001f1eb', '\U000e0041\U0010ffff', '\ue000\uf8ff', '中a文b字', '〱〲 々〆ヶ',
    'がか\u3099 ﾊﾝｶｸ ｶﾞ', '１２３ ٣٤٥ ४५६ ᠑᠒ ²³ ½', '...!!??---___***', '$100.00 + 20% = #5 @home ~x^2 `code` <tag>', 'ꟲ\ua7f2 \u0898 \u1acf \U00010eab', 'क्षि ക്ഷ க்ஷ',
    '▁already ▁▁marked', 'a▁b ▁ c', '<0x41><0x0A> <unk> <s>', '[CLS] [SEP][MASK] [mask]', 'say <mask>now , <mask> or<mask>', 'keepme keepmenot unkeepme keepme.',
    'Grafting GRAFTING grafting graftings', 'Ünique  ünique', 'abc</w> abc', '\r', '\r\n', '\n a', 'a\n\n\n b', '123456789 1234567', "don't DON'T dOn'T 'S 'ſ", '   leading', 'trailing   ',
    'a  b   c    d', 'http://a.b/c?d=e&f=g', '日本語とEnglishの混合テキスト', '\u0e33\u0e4d\u0e32', '\u0344\u0340\u0343', '\u2126\u212b\u212a', '\u1e9b\u0323',
]

# A pair with truncation and padding: (first, second, max_length, strategy, stride, direction).
TRUNCATIONS = [
    (0, None, 8, 'longest_first', 0, 'right'), (0, None, 8, 'longest_first', 3, 'right'), (0, None, 8, 'longest_first', 2, 'left'),
    (0, 1, 16, 'longest_first', 0, 'right'), (0, 1, 17, 'longest_first', 0, 'right'), (1, 0, 17, 'longest_first', 0, 'right'),
    (32, 1, 12, 'longest_first', 0, 'right'), (1, 37, 13, 'longest_first', 0, 'left'), (0, 3, 48, 'only_first', 0, 'right'),
    (3, 0, 48, 'only_second', 0, 'right'), (3, 0, 48, 'only_second', 0, 'left'), (37, None, 4, 'longest_first', 0, 'right'),
    (1, 0, 17, 'longest_first', 0, 'left'), (0, 1, 5, 'longest_first', 0, 'right'),
]

GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = GPT4.replace('{1,3}', '')
GPT4O = '|'.join([
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])


def template(t, single, pair, *tokens):
    t.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=[(x, t.token_to_id(x)) for x in tokens])


def bert_like(t):
    template(t, '[CLS] $A [SEP]', '[CLS] $A [SEP] $B:1 [SEP]:1', '[CLS]', '[SEP]')


def word_piece():
    t = Tokenizer(models.WordPiece(unk_token='[UNK]', max_input_chars_per_word=100))
    t.normalizer, t.pre_tokenizer = N.BertNormalizer(lowercase=True), P.BertPreTokenizer()
    special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
    t.train_from_iterator(SENTENCES, trainers.WordPieceTrainer(vocab_size=500, special_tokens=special, show_progress=False))
    bert_like(t)
    t.decoder = decoders.WordPiece()
    t.add_tokens([AddedToken('keepme', single_word=True), AddedToken('Ünique', normalized=True)])
    return t


def word_piece_cased():
    t = Tokenizer(models.WordPiece(unk_token='[UNK]', max_input_chars_per_word=20))
    t.normalizer = N.Sequence([N.NFKC(), N.Strip(), N.Replace('"', "''")])
    t.pre_tokenizer = P.Sequence([P.Whitespace(), P.Punctuation('merged_with_previous'), P.Digits(individual_digits=True)])
    special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
    t.train_from_iterator(SENTENCES, trainers.WordPieceTrainer(vocab_size=450, special_tokens=special, show_progress=False))
    t.post_processor = processors.BertProcessing(('[SEP]', t.token_to_id('[SEP]')), ('[CLS]', t.token_to_id('[CLS]')))
    t.decoder = decoders.WordPiece(cleanup=False)
    return t


def byte_bpe(pre, size=600, special=(), **model):
    t = Tokenizer(models.BPE(**model))
    t.pre_tokenizer = pre
    t.train_from_iterator(SENTENCES, trainers.BpeTrainer(vocab_size=size, special_tokens=list(special), show_progress=False,
                                                         initial_alphabet=P.ByteLevel.alphabet()))
    t.decoder = decoders.ByteLevel()
    return t


def gpt2():
    t = byte_bpe(P.ByteLevel(add_prefix_space=False), special=['<|endoftext|>'])
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return t


def roberta():
    t = byte_bpe(P.ByteLevel(add_prefix_space=True), special=['<s>', '<pad>', '</s>', '<unk>'])
    t.add_special_tokens([AddedToken('<mask>', lstrip=True, normalized=False)])
    t.add_tokens([AddedToken('keepme', rstrip=True, single_word=True)])
    t.post_processor = processors.RobertaProcessing(('</s>', 2), ('<s>', 0), trim_offsets=True, add_prefix_space=True)
    return t


def split_bpe(pattern, normalizer=None, **model):
    pre = P.Sequence([P.Split(Regex(pattern), 'isolated'), P.ByteLevel(add_prefix_space=False, use_regex=False)])
    t = byte_bpe(pre, special=['<|begin|>', '<|end|>'], **model)
    if normalizer:
        t.normalizer = normalizer
    template(t, '<|begin|> $A', '<|begin|> $A <|begin|>:1 $B:1', '<|begin|>')
    return t


def llama():
    t = Tokenizer(models.BPE(unk_token='<unk>', fuse_unk=True, byte_fallback=True))
    t.normalizer = N.Sequence([N.Prepend('▁'), N.Replace(' ', '▁')])
    special = ['<unk>', '<s>', '</s>'] + ['<0x%02X>' % b for b in range(256)]
    pre = t.pre_tokenizer = P.Metaspace()  # to learn words, not sentences
    t.normalizer, norm = N.Sequence([]), t.normalizer
    t.train_from_iterator(SENTENCES[:20], trainers.BpeTrainer(vocab_size=700, special_tokens=special, show_progress=False))
    doc = json.loads(t.to_str())
    doc['added_tokens'] = doc['added_tokens'][:3]
    doc['pre_tokenizer'] = None
    t = Tokenizer.from_str(json.dumps(doc))
    t.normalizer = norm
    t.decoder = decoders.Sequence([decoders.Replace('▁', ' '), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(' ', 1, 0)])
    template(t, '<s> $A', '<s> $A <s>:1 $B:1', '<s>')
    return t


def unigram(metaspace, normalizer, special, byte_fallback=False):
    t = Tokenizer(models.Unigram())
    t.normalizer, t.pre_tokenizer = normalizer, metaspace
    t.train_from_iterator(SENTENCES, trainers.UnigramTrainer(vocab_size=420, special_tokens=special, unk_token='<unk>', show_progress=False))
    if byte_fallback:
        doc = json.loads(t.to_str())
        doc['model']['byte_fallback'] = True
        doc['model']['vocab'] += [['<0x%02X>' % b, -20.0 - b / 256] for b in range(256)]
        t = Tokenizer.from_str(json.dumps(doc))
    t.decoder = decoders.Metaspace()
    return t


def t5():
    t = unigram(P.Sequence([P.WhitespaceSplit(), P.Metaspace()]), N.Sequence([N.Nmt(), N.NFKC(), N.Replace(Regex(' {2,}'), ' ')]), ['<pad>', '</s>', '<unk>'])
    template(t, '$A </s>', '$A </s> $B </s>', '</s>')
    return t


def unigram_bytes():
    t = unigram(P.Metaspace(prepend_scheme='first'), N.Sequence([N.NFD(), N.Lowercase(), N.StripAccents()]), ['<s>', '</s>', '<unk>', '<mask>'], True)
    template(t, '<s> $A </s>', '<s> $A </s> </s> $B </s>', '<s>', '</s>')
    return t


def word_level():
    t = Tokenizer(models.WordLevel(unk_token='<unk>'))
    t.normalizer = N.Sequence([N.NFKD(), N.StripAccents(), N.Lowercase()])
    t.pre_tokenizer = P.Sequence([P.WhitespaceSplit(), P.Split(Regex(r'[\p{P}\p{S}]'), 'isolated'), P.Digits()])
    t.train_from_iterator(SENTENCES, trainers.WordLevelTrainer(vocab_size=300, special_tokens=['<unk>', '<pad>'], show_progress=False))
    return t


def clip():
    t = Tokenizer(models.BPE(unk_token='<unk>', end_of_word_suffix='</w>', fuse_unk=False))
    t.normalizer = N.Sequence([N.NFC(), N.Replace(Regex(r'\s+'), ' '), N.Lowercase()])
    t.pre_tokenizer = P.Sequence([P.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), 'removed', invert=True),
                                  P.Split('gr', 'merged_with_next'), P.Split('en', 'contiguous')])
    t.train_from_iterator(SENTENCES, trainers.BpeTrainer(vocab_size=500, special_tokens=['<unk>'], end_of_word_suffix='</w>', show_progress=False))
    t.decoder = decoders.BPEDecoder()
    return t


TOKENIZERS = {
    'wordpiece': word_piece, 'wordpiece-cased': word_piece_cased, 'bytebpe-gpt2': gpt2, 'bytebpe-roberta': roberta,
    'bytebpe-gpt4': lambda: split_bpe(GPT4, ignore_merges=True), 'bytebpe-qwen': lambda: split_bpe(QWEN, N.NFC()),
    'bytebpe-gpt4o': lambda: split_bpe(GPT4O), 'spbpe-llama': llama, 'unigram-t5': t5, 'unigram-bytes': unigram_bytes,
    'wordlevel': word_level, 'bpe-clip': clip,
}


def describe(e):
    """What is compared, in a form that is short to write: word -1 stands for none."""
    return {'ids': e.ids, 'types': e.type_ids, 'tokens': e.tokens, 'offsets': [x for o in e.offsets for x in o],
            'words': [-1 if w is None else w for w in e.word_ids], 'special': e.special_tokens_mask, 'mask': e.attention_mask}


def write_cases(name, t):
    (HERE / 'golden').mkdir(exist_ok=True)
    t.no_truncation()
    t.no_padding()
    t.save(str(HERE / 'golden' / (name + '.json')), pretty=False)
    with open(HERE / 'golden' / (name + '.cases.jsonl'), 'w', encoding='utf-8') as f:
        def put(**case):
            f.write(json.dumps(case, ensure_ascii=False, separators=(',', ':')) + '\n')
        for i, text in enumerate(CASES):
            e = t.encode(text)
            full = i >= 20 or i % 4 == 0
            put(a=i, **(describe(e) if full else {'ids': e.ids}), decoded=t.decode(e.ids), bare=t.decode(e.ids, skip_special_tokens=False))
        for a, b in ((0, 1), (18, 33), (21, 55), (39, 34)):
            put(a=a, b=b, **describe(t.encode(CASES[a], CASES[b])))
        for a, b, length, strategy, stride, side in TRUNCATIONS:
            t.enable_truncation(length, stride=stride, strategy=strategy, direction=side)
            try:
                answer = describe(t.encode(CASES[a], None if b is None else CASES[b]))
            except Exception as e:
                answer = {'error': str(e)}
            put(a=a, b=b, max=length, strategy=strategy, side=side, stride=stride, **answer)
        t.no_truncation()
        for side, length, multiple in (('right', None, None), ('left', None, 8), ('right', 40, None)):
            t.enable_padding(direction=side, length=length, pad_to_multiple_of=multiple, pad_id=3, pad_type_id=1, pad_token='P')
            for a, e in zip((1, 32, 39), t.encode_batch([CASES[i] for i in (1, 32, 39)])):
                put(a=a, pad=[length or 0, multiple or 0], padside=side, batch=[1, 32, 39], ids=e.ids, types=e.type_ids, mask=e.attention_mask,
                    special=e.special_tokens_mask, offsets=[x for o in e.offsets for x in o])
        t.no_padding()
    json.dump(CASES, open(HERE / 'golden' / 'cases.json', 'w', encoding='utf-8'), ensure_ascii=False, indent=0)


def overflow():
    with open(HERE / 'overflow.jsonl', 'w', encoding='utf-8') as f:
        for name in ('wordpiece', 'bytebpe-roberta', 'spbpe-llama', 'unigram-t5'):
            t = Tokenizer.from_file(str(HERE / 'golden' / (name + '.json')))
            for a, b, length, strategy, stride, side in (
                    (0, None, 8, 'longest_first', 0, 'right'), (0, None, 8, 'longest_first', 3, 'right'), (0, None, 8, 'longest_first', 3, 'left'),
                    (32, None, 9, 'longest_first', 1, 'left'), (0, 1, 48, 'only_first', 2, 'right'), (0, 1, 48, 'only_second', 1, 'left'),
                    (37, 3, 30, 'longest_first', 2, 'right'), (18, 19, 20, 'longest_first', 0, 'left')):
                if b is not None:  # an even number for both: which text gets an odd token has changed since this version
                    length += (length - t.num_special_tokens_to_add(True)) % 2
                t.enable_truncation(length, stride=stride, strategy=strategy, direction=side)
                try:
                    e = t.encode(CASES[a], None if b is None else CASES[b])
                except Exception as err:
                    continue
                case = dict(name=name, a=a, b=b, max=length, strategy=strategy, side=side, stride=stride, overflow=[describe(o) for o in e.overflowing])
                if name == 'unigram-t5':  # its template gives both texts type 0, which the library forgets in these parts
                    for o in case['overflow']:
                        del o['types']
                f.write(json.dumps({**case, **describe(e)}, ensure_ascii=False, separators=(',', ':')) + '\n')


# What random lines are made of: code point ranges, each as likely as any other, and a few strings.
POOLS = [[0x61, 0x7a], [0x61, 0x7a], [0x41, 0x5a], [0x20, 0x20], [0x20, 0x20], [0x20, 0x20], [0x30, 0x39], [0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60],
         [0x7b, 0x7e], [0xa0, 0xff], [0x100, 0x24f], [0x300, 0x36f], [0x370, 0x3ff], [0x400, 0x4ff], [0x590, 0x5ff], [0x600, 0x6ff],
         [0x900, 0x97f], [0xe00, 0xe7f], [0x1100, 0x11ff], [0x1e00, 0x1fff], [0x2000, 0x206f], [0x2070, 0x214f], [0x2190, 0x27bf],
         [0x3000, 0x30ff], [0x4e00, 0x9fff], [0xac00, 0xd7a3], [0xf900, 0xfaff], [0xfb00, 0xfdff], [0xfe00, 0xffef], [0x1d400, 0x1d7ff],
         [0x1f1e6, 0x1f1ff], [0x1f300, 0x1f6ff], [0x0, 0x1f], [0x7f, 0x9f], [0xe000, 0xe0ff], [0x10000, 0x1ffff], [0x20000, 0x2ffff], [0xe0000, 0xe01ff]]
STRINGS = ['the ', ' graft', "'s", '\u200d', '\ufe0f', '\n', '  ', '\r\n', '▁', 'ing', '[MASK]', '<s>', '<mask>', 'e\u0301', '\u094d', 'Baum', '12']


def random_line(n):
    """Line n, from a splitmix64 generator seeded by n."""
    state = n * 0xD1342543DE82EF95 + 1 & (1 << 64) - 1

    def below(k):
        nonlocal state
        state = state + 0x9E3779B97F4A7C15 & (1 << 64) - 1
        x = state
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
        x = (x ^ x >> 27) * 0x94D049BB133111EB & (1 << 64) - 1
        return (x ^ x >> 31) % k
    parts = []
    while len(parts) < 1 + n % 23:
        k = below(len(POOLS) + 8)
        if k >= len(POOLS):
            parts.append(STRINGS[below(len(STRINGS))])
            continue
        first, last = POOLS[k]
        for _ in range(1 + below(4)):
            parts.append(chr(first + below(last - first + 1)))
    return ''.join(parts)


def point_line(c):
    return 'a' + chr(c) + 'b ' + chr(c)


# Tokenizers whose ids are the bytes of the normalized text, to see what each rule does to each code point.
BERT = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
PROBES = {
    'nothing': {}, 'nfc': {'n': N.NFC()}, 'nfd': {'n': N.NFD()}, 'nfkc': {'n': N.NFKC()}, 'nfkd': {'n': N.NFKD()},
    'lowercase': {'n': N.Lowercase()}, 'strip-accents': {'n': N.Sequence([N.NFKD(), N.StripAccents()])},
    'nmt-strip': {'n': N.Sequence([N.Nmt(), N.Strip()])},
    'bert': {'n': N.BertNormalizer(), 'p': P.BertPreTokenizer()},
    'bert-cased': {'n': N.BertNormalizer(lowercase=False, strip_accents=True), 'p': P.BertPreTokenizer()},
    'bert-clean': {'n': N.BertNormalizer(**{**BERT, 'clean_text': True}), 'p': P.WhitespaceSplit()},
    'whitespace': {'p': P.Whitespace()}, 'punctuation': {'p': P.Punctuation('contiguous')}, 'digits': {'p': P.Digits(individual_digits=True)},
    'metaspace': {'p': P.Metaspace(prepend_scheme='first')}, 'gpt2': {'p': P.ByteLevel(add_prefix_space=True)},
    'gpt4': {'p': P.Split(Regex(GPT4), 'isolated')}, 'gpt4o': {'p': P.Split(Regex(GPT4O), 'merged_with_next')},
    'word': {'p': P.Split(Regex(r'\w+|[^\w\s]'), 'isolated')},
}


def probe(n=None, p=None):
    alphabet = sorted(P.ByteLevel.alphabet(), key=ord)
    t = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    if n:
        t.normalizer = n
    last = P.ByteLevel(add_prefix_space=False, use_regex=False)
    t.pre_tokenizer = P.Sequence([p, last]) if p else last
    return t


def digests(t, lines, block, full):
    """The first 8 hexadecimal digits of the SHA-256 of each block of lines: of the ids, and in full of words and offsets."""
    out = []
    encode = t.encode_batch if full else t.encode_batch_fast
    for i in range(0, len(lines), block):
        h = hashlib.sha256()
        for e in encode(lines[i:i + block]):
            numbers = e.ids
            n = len(numbers)
            if full:
                numbers += [0xffffffff if w is None else w for w in e.word_ids]
                numbers += [x for o in e.offsets for x in o]
            h.update(struct.pack('<%dI' % (1 + len(numbers)), n, *numbers))
        out.append(h.hexdigest()[:8])
    return out


def sweep(shared):
    """Code points go through the probes, in full where words count, and the shared tokenizers; random lines through all."""
    points = [point_line(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
    lines = [random_line(n) for n in range(100_000)]
    path = HERE / 'sweep.json'
    out = json.loads(path.read_text()) if path.exists() else {}  # goes on where it was stopped
    out.update(pools=POOLS, strings=STRINGS)
    groups = [('trained', name, Tokenizer.from_file(str(HERE / 'golden' / (name + '.json'))), None) for name in TOKENIZERS]
    groups += [('probes', name, probe(**args), 'p' in args) for name, args in PROBES.items()]
    groups += [('shared', f.stem, Tokenizer.from_file(str(f)), False) for f in sorted(Path(shared, 'golden', 'tokenizers', 'files').iterdir())]
    for group, name, t, full in groups:
        if name in out.setdefault(group, {}):
            continue
        entry = {'lines': digests(t, lines, 4096, True)}
        if full is not None:
            entry.update(full=full, points=digests(t, points, 8192, full))
        if group == 'probes':
            entry['tokenizer'] = {k: v for k, v in json.loads(t.to_str()).items() if k in ('normalizer', 'pre_tokenizer')}
        out[group][name] = entry
        text = json.dumps(out, ensure_ascii=True, separators=(',', ':'))
        path.write_text(text.replace('],"', '],\n"').replace('},"', '},\n"') + '\n')
        print(group, name, file=sys.stderr, flush=True)


if __name__ == '__main__':
    if sys.argv[1] == 'cases':
        for name, make in TOKENIZERS.items():
            write_cases(name, make())
    elif sys.argv[1] == 'overflow':
        overflow()
    else:
        sweep(sys.argv[2])
