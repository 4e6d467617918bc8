côté Hund the dog dog man is Two Two Hund l'eau de a l'eau.
dog the l'eau l'eau die people boy the a Two Hund ÜBER die une in PEOPLE people.
man die l'eau street,
Ein walking Two 12 man Straße man Two street l'eau, l'eau, on.
a man une shirt MAN, läuft people, une street à, l'eau.
ÜBER Two walking dog U.S. people a grün de street of walking of street de Ein Two near.
street young läuft Ein red walking Ein man. in
3.5 Hund street.
people sitting dog in fille a une, die über Ein
dog läuft läuft une dog Two läuft fille in playing a in.
une walking 2 man Two Ein walking in die l'eau walking man Ein a Hund people.
a a man man man people côté in the a l'eau man man the. the
Ein die Hund U.S. in U.S. T-shirt a in man shirt people, fille de a
über street young street Straße a street in the U.S.
in walking street de DOG and Two L'EAU une läuft a.
a dog the dog une the street Two côté street.
Straße über über street the Ein the a a une de in man people the red the.
man dog une.
une on Two the dog de
côté Hund Hund young, the läuft sitting people well-known Hund on walking läuft man über U.S. über is.
ball the street people is the the Two die à IN man.
man people in in Ein Ein man côté street, people boy and people dog DOG street boy
walking man people a Hund une a WITH, people people, man a.
Hund red de boy shirt a die walking Straße läuft the.
Straße dog near of in.
of in the 2 die walking with, walking die dog Two young.
the people street walking Straße walking the läuft Hund l'eau über people.
dog man man die sitting grün a Ein U.S. is 1,000.
in Two the, läuft fille man the Two on people, on in.
a a the, a.
über IN U.S. near
Straße people Ein Two man. walking
the the walking GRÜN in über À in dog Hund the the, Straße.
well-known the shirt street Two man in über Two in côté DE man a.
in with T-shirt Straße Two.
dog dog walking shirt Hund the a, läuft Straße läuft, with une in, young walking une
shirt shirt grün with walking walking a Two the and a walking.
with U.S. une street man with boy, boy, is the à.
Two the a 1,000
with une côté, the and the in Straße Straße. in
a street young walking street man 3.5 a de de ball street Ein dog walking über.
a, a a die Straße Two people the Hund de red fille man red U.S. street street 2. 2.
a well-known, the walking well-known l'eau l'eau man sitting Hund côté DOG playing in.
dog läuft a in über Hund.
dog Straße 3.5 Hund young a de Two street in côté.
the in de. a
l'eau de côté the läuft U.S. well-known man fille über of of the. the.
street U.S. shirt people street the
and läuft, street a, Hund EIN a people.
walking, people Straße people.
and a U.S. U.S. die sitting in street 2 in.
a and walking TWO, 12 Two über a people a near Hund über über a.
fille, near the the Two côté über man street de.
man l'eau people man dog of Straße a sitting.
in Hund 2 walking PEOPLE walking läuft street de.
in dog fille, dog läuft in FILLE une, une, fille läuft Ein red die on in in une Hund, and. dog
Two, near de the near 12
the über man à, red shirt l'eau, boy a à.
playing playing playing dog Hund a.
in dog a läuft fille über côté côté dog is l'eau dog Two man fille à a.
läuft Hund Two man, man côté with well-known man.
with die Ein in.
T-shirt people the the a a the is sitting Two läuft 1,000 Two man Ein Ein walking.
the à boy Two Two the people people a Two dog Two a Ein.
Ein IN a über with 12 über, de street grün dog une UNE man.
walking in man in people. people.
a, shirt Two man a a a l'eau fille walking, fille DIE.
THE in walking street U.S. EIN man über.
the une in Ein Two.
young fille man über with über a a Straße a.
a of street Two läuft Ein with man a l'eau a well-known
de dog 12.
a a playing in T-shirt and Ein Two Ein 2 a.
the Ein Two near a dog, in a. shirt
dog walking die walking a dog Ein people.
grün, die is boy de the street, man and of
Two Two street Ein Two läuft Hund die die on läuft.
young, walking a shirt läuft walking street street on on über Hund.
walking 1,000 shirt shirt in, the die, ball läuft
à à is Ein people dog Straße Ein a dog dog STREET ball Two läuft walking.
l'eau people, fille Two the in in and Ein man l'eau l'eau street Hund young.
in Straße man a is die a the fille dog shirt in.
Two walking man the U.S. dog street STREET über man.
in dog playing walking fille in street.
Two dog de people man ball de walking, sitting, über l'eau T-shirt T-shirt walking walking l'eau l'eau walking.
sitting man l'eau die of the die man near Straße walking. Hund,
Two STRASSE with people.
über people, de on on Two in Two street people.
2 U.S. TWO people man man läuft DOG street walking.
Straße, in street young läuft with côté, dog street. man
Ein 12 a, in of of playing une street über young.
street the Two Straße läuft 2 à dog. dog.
in in fille of in the.
T-shirt Two à in man street man well-known man street, a MAN.
on young. is
die die läuft.
dog Straße a people une. man
Ein côté with with people people people, walking Hund Ein in the dog, THE dog the street.
de the über a une grün
walking near in U.S. the a.
man street walking à is in Two läuft people über läuft shirt. fille
die de T-shirt Hund Ein.
in a läuft in.
people street, walking in street Hund shirt, street fille of de Straße and die man Hund.
walking the Hund the ON.
über, Straße Straße, in in the dog dog sitting Two die die über Straße Straße people people.
Hund über and in a IN with IN people une Two in man die, fille
street people playing, Ein U.S. the walking.
une the à läuft Two une street a.
à À, walking the l'eau über, dog Two.
and man côté côté LÄUFT a, red dog in Two Two dog die street U.S..
the U.S. in walking in in die à Two Ein walking.
IN Two dog shirt people people man in in läuft à shirt A.
people über läuft in in in 2 à.
1,000 man the street street the une IN über, walking the the young dog Hund the l'eau man.
on Hund dog grün man.
the dog die die shirt red Two l'eau people and, people läuft.
Ein une people Two, dog.
man street in Straße man à Hund on Hund. läuft
the sitting people. STRASSE
côté people U.S.. man
the shirt a U.S. people Two 1,000 dog the.
à une fille Two near Straße.
street dog Hund in in de a
Two, Two, über man man MAN.
walking, shirt walking dog the une the Ein a dog.
côté WELL-KNOWN A.
street de läuft the the man.
in über Ein über Hund in in.
dog fille man the man Two U.S. walking man Two a.
sitting a läuft une street WALKING die 12 street, and man läuft. boy
Two, man l'eau, côté of walking Straße in man in the street people. people.
people man with dog dog in a Two boy.
people une, Hund a Ein young de dog a U.S. street. Two
on à near THE the Ein à à in une die walking à man Ein.
in man red in man Straße A U.S. man street fille fille fille côté Straße l'eau dog street a.
walking is the a dog the walking Ein dog shirt.
the man a Two a boy street grün Hund the côté red.
man à on a läuft man man a a fille, a in a man.
Two people die läuft U.S. Two.
dog street a l'eau l'eau dog man is de the U.S., Two dog red of man
walking Two walking IN boy man street people Two.
dog people is de.
sitting the über the.
fille young man dog dog a the de on côté man über. über.
dog, à in, in with people people, über.
a people a T-shirt walking die walking boy DOG une l'eau 1,000 STREET ball U.S. Hund. young
in walking a is EIN of in shirt young à.
with man une man dog über Straße in U.S. boy shirt T-shirt man boy man well-known
near and PEOPLE U.S. shirt the, shirt. Two,
U.S. in in the Ein people a.
fille une and Ein a shirt 12
à in the with a man a une in à.
man dog une über man dog côté is die a
is läuft fille Two a near Two.
läuft a street T-shirt street in Hund in and is läuft in fille in in DOG is.
dog U.S. man man de Hund Hund Ein people people à CÔTÉ, a is fille.
people, une playing the. a,
people läuft near.
RED shirt Straße in dog.
läuft the the of red walking Two Two a man über a, Hund
in a läuft fille läuft TWO côté.
Two Hund in in of Two Ein walking dog fille of.
Hund dog PEOPLE a die fille.
über T-shirt Ein U.S. walking, in of walking.
man on on läuft RED grün people de über de people Straße, with.
Straße GRÜN fille dog die a à in côté U.S. Straße red.
a, über Hund une die people people dog.
with with with EIN Two de the man dog man côté Ein.
walking in ball walking Two de de a dog man läuft une dog people man.
people Ein sitting Two über the Ein a.
à 2 Hund über Two the côté Hund street man walking walking people die people in.
red walking in a man Hund Ein.
with in à dog Ein street die a a dog. the
street in côté 3.5 Hund a the walking.
U.S. the die 12 fille the
man red, dog a U.S..
T-shirt people, à people, Ein U.S. and the playing de walking is the dog in a.
a dog a Hund FILLE a of man.
the a a U.S. Hund de of die people and über, the läuft Ein.
a street street une côté une dog a street the the läuft.
Two in in boy, walking Two.
Hund man läuft über die über people Two in.
dog Ein red Hund on. on.
man côté the the Hund people läuft.
street man the the the côté Two in dog in läuft of dog.
a côté dog shirt and street.
dog die Ein with playing the the Hund walking, man street the Two young 2
à côté the à Two Hund a fille Two, people sitting côté man Two Two people de
a man Straße the über à Two die côté U.S. walking.
a a a a man Straße people dog Ein Ein shirt.
a the man, Two people a die über people in. grün
on ball l'eau man young
über shirt une über Hund a Two sitting street a Two.
côté man U.S. man a the a Two is l'eau de the man.
of a shirt walking a fille people is a.
Straße Two man MAN WALKING people.
the is Two dog people man street street street die TWO red man U.S. the.
Ein U.S. the, is Hund Straße man is l'eau Hund street à Straße Ein.
walking de de une walking dog Two Two une the.
people dog über street the street and street Hund Hund IN a, a UNE, de U.S. dog.
über Ein walking Straße the the walking dog de.
die, shirt man PEOPLE l'eau une of Hund.
walking dog in in läuft people à Two man a the people man street on walking dog. dog.
läuft man people man people people a in à T-shirt Hund street.
läuft über in walking dog in Straße with.
Ein über, Ein the dog people in à a shirt people a the.
Two walking fille. Straße
côté playing near über Ein, fille the man, man, l'eau l'eau über, über IN in.
Straße the man shirt in fille of dog.
in, people, boy red the the in Two a a people Ein of Hund. Hund.
die, Two walking walking a a, dog and à man.
people Ein Ein
1,000 in red a people.
in 3.5 in de läuft in with Two red young WALKING A.
man Ein über 2 A a street people walking with walking.
young GRÜN young people Hund über near a.
in die côté on the U.S. Hund a boy läuft.
A street grün man a man côté über man, in the the die. Ein
the man man, walking in grün the near, boy
in a young dog in Two läuft côté, côté, fille Ein Straße boy. boy.
people people boy street, fille de the läuft the läuft, walking
à EIN Hund dog man a Straße.
Two, Hund, on Straße man läuft de man fille a une.
Two dog Two Two grün street ball walking fille man DOG.
walking läuft on man a and and Ein die, Ein people Hund street de a Hund. Straße
U.S., in de the in sitting in Ein a U.S., Ein walking dog. young
über U.S. läuft Hund, in boy street, street the walking people die in une, in fille. fille.
man fille über walking Two a people dog DOG, the UNE in man in läuft the a Two.
walking, a à a the man shirt man über.
Straße the läuft läuft dog fille man street Hund with people Straße man in a people.
with in, man 1,000 people U.S. walking a dog in in with Hund people the. people
shirt of die 2 U.S. à.
man walking in U.S. U.S. a läuft red shirt à une. une.
the a in läuft 1,000 fille in dog.
läuft Two street red A.
the man a in the Hund U.S. CÔTÉ.
Ein de walking dog Straße 3.5 l'eau and Hund sitting walking.
with with Ein l'eau.
dog a Ein Ein young man people walking people young street street red une the.
à Hund dog street, die shirt. U.S.
läuft Straße Two Hund the the in.
in Hund walking red.
a people Ein Two
Straße une UNE de walking, Ein, man street l'eau. with
near 12 fille, die red. die
man man in on is the walking red IN street U.S. läuft a.
Straße in is l'eau fille
über man U.S. man Straße man de U.S. Ein Two.
a is, people dog, côté côté in Two Hund Two people läuft dog a street.
