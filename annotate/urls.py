from django.urls import path

from annotate.views import batches, exports, home, judgements, people, studies, tasks

urlpatterns = [
    path("", home.home, name="home"),
    # Judging: nothing but random ids in these addresses.
    path("judge/<uuid:public_id>/", tasks.start, name="start"),
    path("judge/<uuid:public_id>/undo", tasks.undo, name="undo"),
    path("judge/<uuid:public_id>/done", tasks.done, name="done"),
    path("tasks/<uuid:task_id>/", tasks.task, name="task"),
    path("tasks/<uuid:task_id>/pair", tasks.pair, name="task_pair"),
    path("tasks/<uuid:task_id>/skip", tasks.skip, name="task_skip"),
    path("tasks/<uuid:task_id>/release", tasks.release, name="task_release"),
    path("tasks/<uuid:task_id>/flag", tasks.flag, name="task_flag"),
    # People.
    path("me/", people.account, name="account"),
    path("join/<str:token>", people.join, name="join"),
    path("people/", people.people, name="people"),
    path("people/invite", people.invite, name="invite"),
    path("people/<uuid:user_id>/", people.person, name="person"),
    # Studies and what goes into them.
    path("studies/", studies.studies, name="studies"),
    path("studies/new", studies.new, name="study_new"),
    path("studies/<slug:slug>/rubric", studies.rubric, name="rubric"),
    path("studies/<slug:slug>/state", studies.state, name="study_state"),
    path("studies/<slug:slug>/people", studies.assignments, name="assignments"),
    path("studies/<slug:slug>/batches", batches.batches, name="batches"),
    path("studies/<slug:slug>/batches/new", batches.new, name="batch_new"),
    path("studies/<slug:slug>/batches/<int:number>", batches.batch, name="batch"),
    path("studies/<slug:slug>/uploads/<uuid:upload_id>/", batches.upload, name="upload"),
    path("studies/<slug:slug>/uploads/<uuid:upload_id>/import", batches.accept, name="accept"),
    path("studies/<slug:slug>/uploads/<uuid:upload_id>/discard", batches.discard, name="discard"),
    path("studies/<slug:slug>/judgements/", judgements.judgements, name="judgements"),
    path("studies/<slug:slug>/judgements/new", judgements.new, name="judgements_new"),
    path("studies/<slug:slug>/judgements/<uuid:file_id>/", judgements.file, name="judgement_file"),
    path(
        "studies/<slug:slug>/judgements/<uuid:file_id>/import",
        judgements.accept,
        name="judgement_accept",
    ),
    path(
        "studies/<slug:slug>/judgements/<uuid:file_id>/discard",
        judgements.discard,
        name="judgement_discard",
    ),
    path("studies/<slug:slug>/exports", exports.exports, name="exports"),
    path("studies/<slug:slug>/exports/<str:kind>.<str:format>", exports.export, name="export"),
]
