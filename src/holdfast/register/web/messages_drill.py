"""Sentences of the drill, and of the page that tells whether the till is ready for an outage (SW11)."""

DRILL_SENTENCES: dict[str, str] = {
    # the status line
    "drill.mode": "Drill: offline since {since}, until {until} at the latest",
    "drill.owed": "Would be owed: {count}, {value}",
    "drill.owed.nothing": "Nothing would be owed",
    # beginning and ending
    "drill.start": "Practise an outage",
    "drill.text": (
        "This register works as in an outage: what needs head office at once is cut. Sales are real, and are "
        "sent as always. It ends by itself."
    ),
    "drill.minutes": "Minutes",
    "drill.minutes.form": "A drill lasts from 1 to 60 minutes. Enter a whole number of them.",
    "reasons.drill": "Training, New staff, Monthly check",
    "drill.started": "The drill has begun. Sell as always; the status line shows it. It ends at {until}.",
    "drill.end": "End the drill",
    "drill.ended": "The drill is over. This register is online.",
    "drill.none": "No drill was going on: it had ended already.",
    # told where it ended by itself
    "drill.over.time": "The drill is over",
    "drill.over.time.text": "Its time is up. This register works online again.",
    "drill.over.outage": "The drill is over: this is a real outage",
    "drill.over.outage.text": (
        "The connection broke while you practised. Go on just as you did: everything is saved here and "
        "is sent by itself when the connection returns."
    ),
    "drill.over.restart": "The drill is over",
    "drill.over.restart.text": "The till was started again, and that ends a drill.",
    # the page
    "ready.title": "Ready for an outage?",
    "ready.score": "{score} of 100",
    "ready.ready": "This register would survive an outage now.",
    "ready.weak": "It would survive an outage now, with flaws.",
    "ready.fails": "It would not survive an outage now.",
    "ready.unknown": "Whether it is ready cannot be told now: {why}",
    "ready.findings": "What would fail",
    "ready.nothing": "Nothing that is looked at would fail.",
    "ready.cure": "What to do",
    "ready.looked": (
        "Looked at: products, prices, taxes and staff with their ages, who may sell and approve, disk and "
        "reserve, printer, keys and their copies, the clock, what is owed. Card terminals are not counted: "
        "this version drives none."
    ),
    "ready.last": "The last drill",
    "ready.going-on": "A drill goes on. In truth head office answers, and what is sold is sent at once.",
    "ready.drill.began": "Began",
    "ready.drill.lasted": "Lasted",
    "ready.drill.why": "Ended because",
    "ready.drill.made": "Sold in it",
    "ready.drill.made.some": "{count}, {value}",
    "ready.drill.wait": "Longest wait",
    "ready.drill.wait.some": "{seconds} s",
    "ready.drill.wait.none": "nothing was done",
    "ready.drill.refused": "What could not be done",
    "ready.drill.refused.none": "Nothing was refused",
    "ready.drill.refused.times": "{name}, {times} times: {sentence}",
    "ready.drill.refused.once": "{name}: {sentence}",
    # why a drill ended
    "drill.cause.ended": "{name} ended it",
    "drill.cause.time": "its time was up",
    "drill.cause.signed-out": "{name} signed out",
    "drill.cause.outage": "a real outage began",
    "drill.cause.by-hand": "somebody chose to work offline",
    "drill.cause.restart": "the till was started again",
}
