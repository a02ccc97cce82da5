// The tokens of a template among a row's text: they are to be seen as signs, whatever direction the text has.
const SPECIAL =
  /(<\|[^<>|\s]{1,60}\|>|<\/?s>|\[\/?INST\]|\[(?:CLS|SEP|MASK|PAD|UNK|BOS|EOS)\]|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk|mask)>)/;

export interface Piece {
  text: string;
  special: boolean;
}

export function piecesOf(text: string): Piece[] {
  return text
    .split(SPECIAL)
    .map((piece, place) => ({ text: piece, special: place % 2 === 1 }))
    .filter((piece) => piece.text !== "");
}
