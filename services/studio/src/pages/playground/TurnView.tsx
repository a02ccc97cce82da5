import type { Turn } from "../../lib/conversation";
import { AnswerView } from "./AnswerView";
import classes from "./PlaygroundPage.module.css";

/** A question, and under it each model's answer. */
export function TurnView({ turn, onAgain }: { turn: Turn; onAgain: (side: number) => void }) {
  return (
    <section className={classes.turn}>
      <p className={`k-plain ${classes.question}`}>{turn.question}</p>
      <div className={classes.answers} data-sides={turn.answers.length}>
        {turn.answers.map((answer, side) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a side is its place, and both may be the same model
          <AnswerView key={side} answer={answer} onAgain={() => onAgain(side)} />
        ))}
      </div>
    </section>
  );
}
