#!/usr/bin/env python3
"""Writes posts.parquet: 24 posts of the kind that people ask advice with, each with a summary and a worse one.

The posts are invented. Columns as in data sets of summaries with preferences: `subreddit`, `title`, `post`, `chosen`, `rejected`.
Two row groups, dictionary pages and Snappy, as the hub's files have them. Needs pyarrow.
"""

import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

POSTS = [
    ("relationships", "My roommate eats my food and says he does not",
     "I have lived with him for a year and until this spring everything was fine. Then things began to go missing from my shelf in the fridge. "
     "First it was only milk, and I thought that I had misjudged how much was left. Last week a whole pan of lasagne was gone, which I had made "
     "for my lunches, and he looked me in the eye and said that he had not seen it. I found the pan behind his bed when I was looking for the "
     "vacuum cleaner. I do not want to move, since the rent is good and we share friends, but I cannot go on buying everything twice.",
     "My roommate secretly eats my food and denies it; I found the empty pan behind his bed. How do I bring it up without having to move out?",
     "My roommate and I have lived together for a year."),
    ("personalfinance", "Pay off the car or keep the savings?",
     "I owe 6,200 on a car at 7.9 percent and have 7,000 in a savings account that pays 1 percent. I could pay it off tomorrow and would have "
     "almost nothing left. My job is stable but small, and the boiler is old.",
     "I could clear a 6,200 car loan at 7.9 percent with my savings, but then would have no reserve. Should I?",
     "My boiler is old."),
    ("AskReddit", "What did you only understand as an adult?",
     "When I was eight my mother told us every Friday that she had eaten at work. I was thirty before I understood that there had not been "
     "enough for three plates. What did you only understand when you were grown?",
     "I learned at thirty that my mother had skipped meals for us. What did you understand only as an adult?",
     "My mother ate at work on Fridays and I was eight."),
    ("pettyrevenge", "The neighbour's hedge",
     "My neighbour lets his hedge grow over my path and says that cutting it is my business, because it is on my side. For two summers I cut it "
     "every other week and carried the cuttings away. This year I read the bylaws of our street. What grows over the border may be cut, but what is "
     "cut belongs to the one whose plant it is. So I cut it, made a neat pile of all of it, four cubic metres, and laid it in front of his garage, "
     "with a copy of the page. He has bought a hedge trimmer.",
     "My neighbour would not cut his overgrown hedge, so I cut it and, as the bylaws say, returned all cuttings to him. He now has a trimmer.",
     "There is a hedge and it is four cubic metres."),
    ("dogs", "She barks only when I am on the phone",
     "Our dog is six, a shepherd mix, calm with guests and with the postman. When I take a call she stands in front of me and barks until I hang up. "
     "It began when I started working at home. Treats make it worse, since now she barks and then looks at the drawer.",
     "Our calm dog barks whenever I am on the phone, since I began to work at home, and treats taught her to do it more. What helps?",
     "Our dog is six and she is a shepherd mix."),
    ("jobs", "They offered me my old job back",
     "Two years ago I left a small firm because my manager took the credit for a product that three of us had built at night. I said so when I "
     "left, politely, and was told that this was how things are. I found a larger company, more pay, less to do, and I am bored in a way that I did "
     "not know was possible. Last month the old firm's owner called. The manager is gone, the product is what they live from, and nobody there knows "
     "how the half that I wrote works. He offers a quarter more than I earn now and a share of two percent. My wife says that people do not change "
     "and firms do not either. My old colleagues say that it is a different place, but they would like to have me back because of the work that lies there. I have "
     "to say yes or no by Friday, and every morning I wake up with another answer.",
     "The firm that I left over stolen credit wants me back with more pay and a share, now that the manager is gone. I am bored where I am, my wife is against it. Go back?",
     "I left a small firm two years ago and found a larger company."),
    ("college", "Professor lost my exam",
     "I sat the exam, signed the list, and have no grade. The professor says that no exam of mine was among those that he was given and that I can take "
     "it again in spring. I would lose a semester. Two friends sat beside me and would say so.",
     "My professor lost my exam and wants me to repeat it in spring, though I signed the list and have witnesses. What can I do?",
     "I have no grade and two friends."),
    ("running", "Knee hurts after 8 km, never before",
     "I run three times a week and have done so since March. Up to about eight kilometres I feel nothing. Then it begins on the outside of the left knee, "
     "and after ten I have to walk down stairs backwards. The next day it is gone. New shoes did not change it.",
     "The outside of my left knee hurts after 8 km of running and is fine the next day; new shoes did not help. What is it?",
     "I run three times a week since March in new shoes."),
    ("cooking", "Bread rises and then falls in the oven",
     "Same flour, same yeast, same kitchen. It doubles in the bowl, it doubles in the tin, and ten minutes after it goes into the oven the middle sinks. "
     "The crumb is good at the edges and wet in the middle. I have tried less water.",
     "My bread rises twice and then sinks in the oven, with a wet middle, even with less water. What am I doing wrong?",
     "I bake bread with flour and yeast."),
    ("weddings", "His mother wants to wear white",
     "She says that at her age white is simply what suits her, and that nobody would take her for the bride. My fiance laughs about it and says that it does not matter. "
     "It matters to me, and I did not know how much until she sent a picture of the dress, which has a train. My own mother has said that if it comes to that she will have "
     "an accident with a glass of red wine, and I am no longer sure that she is joking. I have asked his sister to talk to her; she says that she has talked to her for thirty years. "
     "The wedding is in five weeks, the invitations are out, and I have begun to dream of the train.",
     "My fiance's mother plans to wear a white dress with a train to our wedding and he will not step in. How do I stop her?",
     "My mother jokes about red wine."),
    ("techsupport", "Laptop wakes up at three every night",
     "It is closed and on the table. At three the fan starts, the light goes on, and it stays awake until I press the button. Updates are off, the network is off, "
     "there is no task in the scheduler that I know of.",
     "My closed laptop wakes up at 3 a.m. every night although updates and network are off. How do I find the cause?",
     "The laptop is on the table."),
    ("travel", "Missed the last ferry",
     "We stood on the pier and saw it leave, eleven minutes early. The office was closed. We slept in the car, bought new tickets in the morning, and now the company says that "
     "the times are not binding. The tickets say nothing of the kind. It is 140 in all, and I would like to know if it is worth writing a letter.",
     "Our ferry left eleven minutes early and the company refuses to refund the 140 that it cost us. Is a complaint worth it?",
     "We slept in the car on the pier."),
    ("parenting", "He will only read one book",
     "My son is seven and has read the same book about whales fourteen times. He knows it by heart. The teacher says that he should read other things and has given him "
     "a list. He puts the list into the whale book as a bookmark.",
     "My seven-year-old rereads one book about whales and ignores the teacher's reading list. Should I push him?",
     "My son has a bookmark."),
    ("legaladvice", "Landlord kept the deposit for a wall that was like that",
     "When I moved in the wall behind the wardrobe had a stain, and I took a picture and sent it to him. Now that I have moved out he keeps 600 for it. He says that "
     "the picture shows another wall. The picture shows the window and the radiator, which no other room has. He has stopped answering my mails, and I live in another city now.",
     "My landlord keeps 600 of my deposit for a stain that I documented when moving in and no longer answers. What are my options?",
     "I moved to another city."),
    ("gardening", "Tomatoes split just before they are ripe",
     "Every year the same. They hang there for weeks, green and sound, then they turn red and split from the stem down within two days. I water every evening, more when it is hot.",
     "My tomatoes split as soon as they turn red, although I water them every evening. Why?",
     "Tomatoes are red."),
    ("confession", "I let my brother think that he won",
     "We played chess every Sunday from the time when I was ten. He never lost. When I was fifteen I saw that I could have won for a year, and I did not, and when he moved "
     "away I had not won once. Last Sunday he asked on the phone if I had ever let him win. I said no. He was silent for a while and then said that this was good, "
     "because those Sundays were the one thing that he had been sure of when everything else went wrong for him. I have been thinking of it all week. I think that I will never tell him, and that it was the best "
     "thing that I did as a child, and that it was also a lie.",
     "I let my older brother win at chess for years. He asked me, I denied it, and it turned out that those wins had held him up.",
     "We played chess on Sundays when I was ten."),
    ("fitness", "Stuck at the same weight for four months",
     "I went from 92 to 84 kilograms in the first three months and since then nothing has moved. I eat the same and train the same. Friends say eat less, friends say eat more.",
     "I lost 8 kilograms in three months and then none for four, with the same food and training. What should I change?",
     "Friends say many things."),
    ("AskReddit", "Which small kindness do you still think of?",
     "A bus driver once waited for me at four stops in a row, because I was running beside the bus and would not give up. He never said a word. I was late all the same.",
     "A bus driver once waited for me at four stops. Which small kindness do you still remember?",
     "I was late."),
    ("relationships", "She wants to name the cat after her former boyfriend",
     "She says that it is simply a good name for a cat, and that it has nothing to do with him. His name is Bartholomew. I have nothing against the name. I have something against calling it "
     "out of the window at night for the next fifteen years.",
     "My girlfriend wants to give our cat her former boyfriend's name and says that it means nothing. Am I wrong to object?",
     "The cat is called at night."),
    ("books", "Looking for a novel with a lighthouse",
     "I read it in the eighties, in a translation. A man comes to a lighthouse to count birds, and the keeper does not speak to him for a whole winter. In spring the keeper says one sentence. "
     "I have forgotten the sentence and would like to have it back.",
     "I am looking for a novel that I read in the eighties: a man counts birds at a lighthouse, and its keeper speaks one sentence in spring.",
     "A novel is about birds."),
    ("pettyrevenge", "Reply to all",
     "A colleague answers every mail to all 300 of us, to say thank you. I asked him to stop. He thanked me, to all. So I wrote a rule that answers each of his thanks with a thank "
     "you of mine, to him alone. On the second day he had 412. He now walks over and says it.",
     "A colleague thanked all 300 of us by mail, so I set a rule that thanks him back each time. He stopped after 412.",
     "Colleagues write mails."),
    ("personalfinance", "Friend wants his loan back early",
     "He lent me 3,000 for three years and after one he needs it, because his roof leaks. I have 1,100. We wrote nothing down. I could borrow the rest from a bank at nine percent.",
     "A friend needs back early the 3,000 that he lent me, and I have 1,100. Should I borrow the rest at nine percent?",
     "A roof leaks."),
    ("college", "Group of four, one works",
     "We have a project due in nine days. One of us has a new girlfriend, one is ill, one answers with thumbs. I have written two thirds of it. The lecturer says that groups have to solve this themselves "
     "and that all four get one grade. If I hand in what I have it will be good enough for a pass, which I do not want, and if I write the rest then three people get a grade for my nights. I have thought of writing "
     "the names beside the chapters.",
     "I wrote most of a group project and the others do nothing, but we all get one grade. Do I finish it alone or show who did what?",
     "There is a project and one is ill."),
    ("dogs", "Afraid of one street lamp",
     "All other lamps are fine. At this one he stops, goes round it in a circle of ten metres, and walks on as if nothing had been. He has done it for three years. Last week the lamp was replaced, and he walked past it, "
     "and at the old one, which lay on the pavement, he growled.",
     "For three years my dog has avoided one street lamp. It was replaced; he ignores the new one and growls at the old one.",
     "A dog walks in the street."),
]

if __name__ == "__main__":
    names = ["subreddit", "title", "post", "chosen", "rejected"]
    table = pa.table({name: [row[index] for row in POSTS] for index, name in enumerate(names)})
    path = pathlib.Path(__file__).parent / "posts.parquet"
    pq.write_table(table, path, compression="snappy", row_group_size=12)
    print(f"{path.name}: {table.num_rows} rows, {path.stat().st_size} bytes")
