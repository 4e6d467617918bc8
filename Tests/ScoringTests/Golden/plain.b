Hund the the dog DOG young near Two Hund street l'eau red and
dog une l'eau die läuft people boy the a Two über über Straße die in Hund people.
Straße Hund
fille Ein Two walking MAN Straße man street on. Two
a man man shirt Two 12 street people, playing une à, red l'eau.
über Two dog U.S. people a über street de of of street de near. Two
Hund a walking people Ein Ein red A man.
a in Hund and street.
people sitting dog in à a die une, die. über
dog une dog fille Two in LÄUFT on a in.
red of red man Two the Ein Ein walking in die l'eau l'eau man walking Ein a Hund people.
a man people people in côté OF the l'eau well-known in the. the
Ein Ein fille die U.S. Hund in Two a in dog people, man shirt a de man
and young street Hund Straße Straße a in the dog in.
in walking Hund läuft dog walking street Two shirt L'EAU man une läuft läuft A.
a dog playing, the dog PLAYING THE LÄUFT street Two walking street.
Straße ÜBER STREET Ein the the a une dog de man walking läuft 1,000 the the.
the über une.
on une dog Two people. the
Hund Hund young, the young, sitting man the on Hund walking über man läuft U.S. man is.
Hund, BALL the man people street über the Two Two T-shirt of Hund in in man.
boy Hund on in in man Ein U.S. street, people boy and dog people dog street
a the people 2 a Hund with a Hund people, young man a.
Hund in walking shirt Ein boy DIE a Straße à läuft the.
Straße Two DOG of
of the in 2 walking with, Straße côté in shirt, young. Two
people street street walking walking Straße A läuft Hund l'eau people. über
man die sitting Ein grün a playing die 1,000.
in the, Two PEOPLE läuft fille côté street grün the Two côté on U.S. people, a
de well-known near a.
über U.S. man.
Straße people a Two Ein man. walking
1,000 the 2 die in à man à dog the dog the läuft
shirt walking, ÜBER street Two man man 12 in is 2 Two de über man a.
in is with dog U.S.
dog dog Straße shirt well-known läuft street Straße läuft, une with grün the
shirt with grün walking a walking man the and A walking.
une 3.5 man with boy, à. the
Two the man man.
3.5 with the côté, and the the in THE IN 1,000 Straße.
street a young walking man street boy, de ball a street street Ein on über. walking
people a die the côté people Ein, the de boy man U.S. 2. red
well-known, the near walking L'EAU l'eau man à, Hund côté Straße playing the
dog läuft a Hund. über
Straße Hund ÜBER people a de côté. 2
in the people de.
man l'eau man the de U.S. Ein sitting man fille über THE.
street U.S. UNE shirt people in street the a U.S..
and läuft, Hund a, a, 12 a people.
walking, people Straße people.
and a a boy Straße U.S. sitting in street in. in.
a and de Two, Two a über Hund Hund a people near Hund a.
fille, Ein the the Two côté über man of de.
l'eau man people MAN of Straße läuft sitting.
Hund in 2 shirt people walking walking in street is
in in fille, dog in fille à une, near fille Ein red red the une in Hund, dog
über sitting a a, the de.
man fille street red dog à, l'eau, boy a à.
Straße Straße playing the dog Hund a.
a dog in läuft über fille sitting dog l'eau dog IS fille läuft fille à a.
läuft Two man with with well-known man.
de in. Ein
in people the the the walking a sitting Two läuft 1,000 Two man walking. EIN
à the Ein Two fille people people a well-known DOG a Ein.
DIE in in über with über, de street grün on in, in, une une man. man.
walking man in in people.
Two shirt man a a a l'eau fille die.
a the in the walking Ein U.S. man
une the in Two.
young fille über man a a läuft à über a Straße a.
Two the, läuft Ein man a with a a walking. a
dog sitting 12. 3.5,
in in playing street Ein and Two côté 1,000 a.
the Ein Ein Two in in in dog shirt dog, A.
walking die people Ein walking dog die
is young well-known a street, the man ball
Two Two near une Two läuft Hund läuft. die
young, walking a shirt läuft WALKING on boy über Hund.
shirt über 1,000 walking THE die, 2 2
is à à people with Hund Ein dog a über 12 walking. Two
Hund people, people Two the the and man Straße street young Hund young.
in une man Ein man a die a the dog shirt fille in.
Two near man U.S. MAN the street dog street
in DOG IN fille in street.
man dog young people man de de Two sitting, côté a T-shirt l'eau walking.
people sitting people walking, die shirt of 12 Hund ball, Hund,
on the, people.
in über people, l'eau Two fille Two in people.
U.S. Two über people man a läuft street walking.
Straße, in street a a läuft with côté, dog street.
Ein 12 in a, of Ein people people une über young.
Two the STRASSE läuft läuft in à dog. dog.
in in people in the.
a dog Two dog à street in man man man man man. street,
fille on IS ball
red, die die une läuft.
dog a people man man une.
Ein street côté people, walking Ein people the the the dog the STREET.
à une über une on
walking near in dog, dog, the in
street walking à T-shirt fille fille playing läuft Two über people läuft läuft, shirt.
die in Hund T-shirt Ein.
läuft in A red
people boy street, street in Hund of street de Straße U.S. die man on, Hund.
walking the Hund the on. on.
a Straße dog über, Straße, IN the dog une une red U.S. die Straße people die people.
people über a Hund Hund côté IN a U.S. in a people Two die, Ein. man
2 Two playing, Ein the walking. à
une à the läuft läuft Two une une street a. a.
à, walking the l'eau über, grün people grün
AND man côté Ein a, red dog Two über dog man 3.5 street U.S..
the in fille walking in in die à über, Two Ein walking.
dog in Two shirt people man people in in with läuft Ein Ein a. shirt
people läuft Ein die in 2
1,000 1,000 über the a une in the über, walking the Hund the l'eau MAN.
red Hund dog grün man.
the dog U.S. red l'eau people red läuft.
in Ein Ein Ein people TWO, dog.
man l'eau in über fille fille côté Hund Hund young boy
the people. Two
côté people people Ein U.S..
the a a a grün of Two dog in 1,000 grün
the À une une fille Two Straße.
dog STREET in dog the in dog.
2 über man with man man.
walking, SHIRT walking with the Two, people Ein the a dog.
a côté dog shirt
street U.S. de die the man.
über über Hund
DOG fille man Two man fille man man man TWO of
a sitting une a a shirt street street walking die 12 street, and in man läuft. boy
man TWO, côté of l'eau, Straße walking shirt in in in à the people.
people dog IN a boy.
people 3.5 Hund Straße A Ein Hund DE dog U.S.
on the near Ein playing in à dog die street walking walking shirt man man grün
red in in man Straße in a U.S. U.S. man playing fille Straße côté street a. l'eau
a man a the sitting dog shirt. Ein
the man a Two A boy street grün Hund the a red. côté
man à on dog dog a läuft a boy fille, a in a man.
Two people läuft die people TWO.
street the l'eau läuft dog man is de the U.S., red of Two. Two.
Two Two IN Hund UNE street man street people Two.
in in dog people côté de.
U.S. THE über the.
fille über man dog une of man de the red young über.
dog, in, die à in young people people people, über.
a people une a walking die walking die dog fille une l'eau Straße street street ball U.S. walking Hund.
in walking is a of Ein people man shirt shirt
WITH man une walking dog playing in U.S. boy boy shirt T-shirt man boy Two a.
man man and shirt people the, Two, shirt.
the in the Ein ball a.
fille a Ein a a DIE.
in à 2 with man a BALL, in à.
man in une über man côté dog a die a and. the
is dog läuft Two fille a a Two.
in läuft street T-SHIRT street street in in in and is läuft in FILLE in in is.
Ein U.S. man dog man Hund people Ein Hund people playing is fille.
people, une is a, THE.
1,000 läuft
a red Straße in dog.
läuft of the walking Two RED 12 street über a, playing Hund de. de.
a in läuft Two CÔTÉ.
Hund in Two of Ein dog fille walking of.
people grün Hund a dog läuft die fille.
über is T-shirt is Ein dog ball walking, in of walking.
on young läuft läuft grün red PEOPLE de über people with.
Straße GRÜN fille dog die à à in dog red.
a, in HUND une boy people dog. people
with with Ein Two Two DE the dog man and CÔTÉ à à
Ein walking ball de the a the dog man une läuft people dog man.
people Ein à Two Ein the über a.
Two Hund Hund über Two THE young Hund Hund is man walking a people die people in.
walking red in dog man Two Ein.
de, grün dog with dog à Ein die boy a a THE dog.
in in in die côté a Hund walking walking.
U.S. die 12 the the fille the.
MAN red, dog a côté
in people, people, à people, Ein U.S. 12 sitting de playing walking the and a. a.
dog dog a une a a l'eau man.
a the A Two U.S. U.S. of Hund the the and über, people the läuft Ein.
in une A walking une a street the the läuft.
the, 2 in man in walking red is
Hund läuft dog on über die die people in. Two
l'eau red Hund on.
Straße the à the Hund people 2 2 ball
street man the the côté Two in dog à l'eau
shirt a côté dog and street.
with with Ein playing the the the Hund man street street the Two Two man. young
à people côté the Hund the läuft Two, FILLE people man Two a people people de
a man man über die Two à walking. über
a a A a man people red dog Ein Ein shirt.
a the 12 Two a über people die in
côté ball young man l'eau the.
über man une a über a Hund street TWO sitting a Two.
street fille man 3.5 the is a dog man DE the man.
of a shirt Ein A WALKING fille is a.
STRASSE people man people.
is TWO people dog a die street die TWO man red the. U.S.
Ein U.S. is the, STRASSE Hund Straße Two man l'eau street à Ein.
walking de de UNE über Two Two dog Two über une the. the.
people people über dog street the street and street THE, in a, Hund a une, DE U.S. dog.
the über Straße TWO the walking de.
the the die, man people in in of with Hund.
walking on Straße Hund people läuft à Two man the a sitting people on street dog dog. dog
über läuft people people a in 12 the on Hund street.
läuft über in dog WALKING in in Straße with.
côté Ein über, dog the in people shirt à a A people the.
walking Two fille. Straße
playing PLAYING and Ein, the über the man, über, l'eau über in Ein Ein in. the,
STRASSE man shirt a à à fille in of dog.
in, people boy the ball in a a a Ein of Hund. of
Two walking WALKING a and dog dog à man.
Ein shirt young
a fille
in in dog people in Two Two with red young walking a.
man Ein Ein U.S. street a une a people a walking walking Ein walking.
young grün young people Hund über near a.
dog in CÔTÉ on de on U.S. Hund a U.S. läuft.
a a the a man man côté man, in and Ein die. THE
the man, man walking in läuft people. the
in a dog the ball in in fille a côté, Straße boy.
near people people people a, de street, the a the the läuft man läuft, man.
à Ein Hund dog man a Straße.
TWO, Hund, on STRASSE man man de man fille a une.
Two dog Two Two grün Hund the street T-shirt fille walking man dog.
walking walking man and Ein die, EIN people street de Hund Hund. Straße
côté in U.S., de the is sitting die a people U.S., young walking dog.
über U.S. läuft Hund, in boy street, de the fille shirt in die in in of
MAN fille über walking Two people a is and une IN man in läuft a U.S. de
walking, 3.5 à a a the shirt man die
T-shirt läuft the fille man dog Ein Straße people a MAN über people.
with in, MAN man people fille people U.S. U.S. a walking dog in man WITH MAN in
shirt 2 3.5 côté à.
man walking in in U.S. U.S. de U.S. a a à man Hund
the a a in läuft street l'eau 2 dog.
läuft läuft Two Two street a. läuft,
the man walking the in läuft U.S. Hund CÔTÉ.
Ein STREET walking well-known Ein 3.5 young l'eau 1,000 and sitting à WALKING.
Ein in l'eau.
dog a man une walking people street red street U.S. the.
à of dog Ein street, DIE fille sitting shirt. people,
T-shirt Two Straße Hund the in.
in in côté, walking Hund RED.
A EIN walking. people
une and une DOG Ein, walking, street street man with l'eau.
grün 12 12 fille, die red.
man Two Two in the IS walking walking die in U.S. with läuft a.
Straße is in playing. street
man Ein U.S. U.S. Straße U.S. man ball Ein
a is, is, people Hund côté côté walking walking Hund Two côté people läuft dog dog a STREET.
